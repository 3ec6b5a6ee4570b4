export type { Channel, ChannelName, Message, Outcome } from './channel.js';
export { type OldChannel } from './old-channel.js';
export { OldEmailChannel, messageId } from './old-email.js';
export { recipientsOf } from './recipients.js';
export { OldWebhookChannel } from './old-webhook.js';
export { EmailChannel, type EmailOptions } from './email.js';
export { isSlack, SlackChannel, type SlackSettings } from './slack.js';
export { WebhookChannel, type WebhookSettings } from './webhook.js';
