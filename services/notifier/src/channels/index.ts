export type { Channel, ChannelName, Message, Outcome } from './channel.js';
export { EmailChannel, messageId, type EmailOptions } from './email.js';
export { isSlack, SlackChannel, type SlackSettings } from './slack.js';
export { WebhookChannel, type WebhookSettings } from './webhook.js';
