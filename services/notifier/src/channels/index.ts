export type { Channel } from './channel.js';
export { EmailChannel, messageId } from './email.js';
export { recipientsOf } from './recipients.js';
export { WebhookChannel } from './webhook.js';
