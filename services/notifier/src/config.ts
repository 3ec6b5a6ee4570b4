import { HttpUrl } from '@hyper2kvm/contracts';
import { WORKER_KEYS } from '@hyper2kvm/runtime';
import { z } from 'zod';
import { Name, QuietHours, Rule } from './rules/index.js';

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
    /** PEM file with the CA of the server's certificate, beside those that every Node.js knows. */
    ca_file: z.string().min(1).optional(),
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

/** Callbacks of jobs and batches, and endpoints that rules name. */
const WebhookConfig = z.strictObject({
  /** Signs them (HMAC-SHA256, Standard Webhooks). `whsec_` and base64, or any text. Without it they are not signed. */
  secret: z.string().min(1).optional(),
  /** Callbacks go to addresses that begin with one of these only. Default: anywhere but link-local addresses. */
  allow_urls: z.array(HttpUrl).optional(),
  /** For one try, from the look-up of the name to the end of the answer. */
  timeout_seconds: z.number().min(1).max(120).default(15),
  /** Default: `give_up_after_hours` of all channels. */
  give_up_after_hours: z.number().positive().max(720).optional(),
  endpoints: z.record(Name, z.strictObject({ url: HttpUrl, secret: z.string().min(1).optional() })).default({}),
});

const SlackConfig = z.strictObject({
  /** Incoming webhooks by name. Their addresses are secrets: rules, logs and answers use the names. */
  webhooks: z.record(Name, HttpUrl).default({}),
});

const DigestConfig = z.strictObject({
  /** Jobs of a batch are gathered for each person, and told with the batch's end. */
  batches: z.boolean().default(true),
  /** Or so long after the first of them. */
  every_minutes: z.number().positive().max(1440).default(60),
});

/** The section `notifier` of the configuration. */
export const NotifierConfig = z
  .strictObject({
    smtp: SmtpConfig.prefault({}),
    slack: SlackConfig.prefault({}),
    webhook: WebhookConfig.prefault({}),
    rules: z.array(Rule).default([]),
    notify_on_complete: z.boolean().default(true),
    notify_on_failure: z.boolean().default(true),
    digest: DigestConfig.prefault({}),
    quiet_hours: QuietHours.optional(),
    /** Templates of one's own, over those that come with the notifier. */
    templates_dir: z.string().min(1).optional(),
    /** What nobody took for so long becomes a dead letter. */
    give_up_after_hours: z.number().positive().max(720).default(72),
    worker_id,
    metrics_listen,
    shutdown_grace_seconds,
  })
  .superRefine(({ rules, smtp, slack, webhook }, context) => {
    const issue = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: 'custom', path, message });
    const known = { slack: Object.keys(slack.webhooks), webhook: Object.keys(webhook.endpoints) };
    for (const [at, { name, to }] of rules.entries()) {
      const path = ['rules', at];
      if (rules.findIndex((rule) => rule.name === name) !== at)
        issue([...path, 'name'], `another rule has the name ${name}`);
      if (to.email !== undefined && smtp.host === '')
        issue([...path, 'to', 'email'], 'e-mail needs a server: set notifier.smtp.host');
      for (const channel of ['slack', 'webhook'] as const) {
        const place = channel === 'slack' ? 'notifier.slack.webhooks' : 'notifier.webhook.endpoints';
        const names = known[channel].join(', ') || 'nothing';
        for (const [index, target] of (to[channel] ?? []).entries())
          if (!known[channel].includes(target))
            issue([...path, 'to', channel, index], `${place} has no ${target}; it has ${names}`);
      }
    }
  });
export type NotifierConfig = z.infer<typeof NotifierConfig>;

export const isLoopback = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|::1)$/.test(host);

export const smtpPort = (smtp: SmtpConfig): number => smtp.port ?? (smtp.secure ? 465 : smtp.user ? 587 : 25);

export function startTls(smtp: SmtpConfig): z.infer<typeof StartTls> {
  return smtp.starttls ?? (smtp.user ? 'required' : isLoopback(smtp.host) ? 'never' : 'if_offered');
}
