import { HttpUrl } from '@hyper2kvm/contracts';
import { WORKER_KEYS } from '@hyper2kvm/runtime';
import { z } from 'zod';

const { worker_id, metrics_listen, shutdown_grace_seconds } = WORKER_KEYS;

/** No header can be smuggled in through an address that an administrator copied with its line end. */
const MailAddress = z.string().regex(/^[^\r\n]*[^\s@<>]+@[^\s@<>]+>?$/, 'an address, or: Name <address>');

/**
 * How STARTTLS is used where `secure` is false. `required` refuses to send in clear; `if_offered` upgrades when the server can;
 * `never` does not ask.
 */
const StartTls = z.enum(['required', 'if_offered', 'never']);

export const SmtpConfig = z
  .strictObject({
    /** Empty: no e-mail is sent. */
    host: z.string().default(''),
    /** Default: 465 with `secure`, 587 with a user, else 25. */
    port: z.coerce.number().int().min(1).max(65_535).optional(),
    /** TLS from the first byte (port 465). */
    secure: z.boolean().default(false),
    /** Default: `required` with a user, `never` to this machine itself, else `if_offered`. */
    starttls: StartTls.optional(),
    user: z.string().optional(),
    password: z.string().optional(),
    from: MailAddress.default('hyper2kvm@localhost'),
    /** Receive every notification, beside the job's own `notify_email`. */
    to: z.array(z.email()).default([]),
  })
  .superRefine((smtp, context) => {
    const inClear = !smtp.secure && smtp.starttls !== undefined && smtp.starttls !== 'required';
    if (smtp.user && inClear && !isLoopback(smtp.host)) {
      context.addIssue({
        code: 'custom',
        path: ['starttls'],
        message: 'the password could travel in clear: use secure: true, or starttls: required',
      });
    }
    if (smtp.user && !smtp.password) {
      context.addIssue({ code: 'custom', path: ['password'], message: 'smtp.user is set, so a password is needed' });
    }
  });
export type SmtpConfig = z.infer<typeof SmtpConfig>;

/** Callbacks of jobs and batches. */
const WebhookConfig = z.strictObject({
  /** Signs them (HMAC-SHA256, Standard Webhooks). `whsec_` and base64, or any text. Without it they are not signed. */
  secret: z.string().min(1).optional(),
  /** Callbacks go to addresses that begin with one of these only. Default: anywhere but link-local addresses. */
  allow_urls: z.array(HttpUrl).optional(),
  /** For one try, from the look-up of the name to the end of the answer. */
  timeout_seconds: z.number().min(1).max(120).default(15),
  /** A receiver that takes nothing for so long misses the callback, which becomes a dead letter. */
  give_up_after_hours: z.number().positive().max(720).default(72),
});

/** The section `notifier` of the configuration. */
export const NotifierConfig = z.strictObject({
  smtp: SmtpConfig.prefault({}),
  webhook: WebhookConfig.prefault({}),
  notify_on_complete: z.boolean().default(true),
  notify_on_failure: z.boolean().default(true),
  worker_id,
  metrics_listen,
  shutdown_grace_seconds,
});
export type NotifierConfig = z.infer<typeof NotifierConfig>;

export const isLoopback = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|::1)$/.test(host);

export const smtpPort = (smtp: SmtpConfig): number => smtp.port ?? (smtp.secure ? 465 : smtp.user ? 587 : 25);

export function startTls(smtp: SmtpConfig): z.infer<typeof StartTls> {
  return smtp.starttls ?? (smtp.user ? 'required' : isLoopback(smtp.host) ? 'never' : 'if_offered');
}
