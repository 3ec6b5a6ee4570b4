export type { Channel, ChannelName, Message, Outcome } from './channel.js';
export { isSlack } from './old-slack.js';
export { type OldChannel } from './old-channel.js';
export { OldEmailChannel, messageId } from './old-email.js';
export { recipientsOf } from './recipients.js';
export { OldWebhookChannel } from './old-webhook.js';
