import { z } from 'zod';
import { Timestamp } from '../words.js';

export const NOTIFICATION_CHANNELS = ['email', 'slack', 'webhook'] as const;
/** A way to reach people or machines. */
export const NotificationChannel = z.enum(NOTIFICATION_CHANNELS);
export type NotificationChannel = z.infer<typeof NotificationChannel>;

/** POST /notifications/test: to every configured target, or to one channel, or to one target. */
export const NotificationTestRequest = z.strictObject({
  channel: NotificationChannel.optional(),
  /** An e-mail address, the name of a configured Slack webhook or endpoint, or an address of one. Needs `channel`. */
  to: z.string().min(1).max(2048).optional(),
});
export type NotificationTestRequest = z.infer<typeof NotificationTestRequest>;

export const NotificationTestResult = z.object({
  channel: NotificationChannel,
  /** As it may be shown: an address of a webhook without its path. */
  target: z.string(),
  delivered: z.boolean(),
  /** What the other side answered, or why nobody could be asked. */
  message: z.string(),
  duration_seconds: z.number().nonnegative(),
});
export type NotificationTestResult = z.infer<typeof NotificationTestResult>;
export const NotificationTest = z.object({
  results: z.array(NotificationTestResult),
  /** Why nothing was sent: no channel is configured. */
  message: z.string().optional(),
});
export type NotificationTest = z.infer<typeof NotificationTest>;

/** GET /notifications */
export const NotificationStatus = z.object({
  channels: z.array(
    z.object({
      channel: NotificationChannel,
      configured: z.boolean(),
      /** Where it sends without being asked to: addresses, names of webhooks and endpoints. */
      targets: z.array(z.string()),
      /** Messages that wait for a digest or for the end of quiet hours. */
      held: z.number().int(),
      /** Facts that are tried again, or wait behind those. */
      waiting: z.number().int(),
    }),
  ),
  rules: z.array(z.object({ name: z.string(), summary: z.string() })),
  /** `22:00-07:00 Europe/Berlin`; null: none. */
  quiet_hours: z.string().nullable(),
  /** When the quiet hours that are now end; null when there are none now. */
  quiet_until: Timestamp.nullable(),
});
export type NotificationStatus = z.infer<typeof NotificationStatus>;
