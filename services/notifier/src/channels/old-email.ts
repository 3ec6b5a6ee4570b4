import { JobError } from '@hyper2kvm/contracts';
import { createTransport } from 'nodemailer';
import { smtpPort, startTls, type NotifierConfig, type SmtpConfig } from '../config.js';
import { subjectOf, type OutcomeFact } from '../fact.js';
import { composeMail, type MailFact } from '../messages/index.js';
import type { OldChannel } from './old-channel.js';
import { Ledger, type Delivery } from './ledger.js';
import { recipientsOf } from './recipients.js';

/** The part of nodemailer's error that is read here. `permanent` is set where the server answered 5xx (503 excepted). */
interface SmtpError {
  readonly message: string;
  readonly command?: string | undefined;
  readonly response?: string | undefined;
  readonly permanent?: boolean | undefined;
  readonly recipient?: string | undefined;
  readonly rejectedErrors?: readonly SmtpError[] | undefined;
}

/** Limits of a conversation with the server, in milliseconds. They also bound how long a stop of the service waits. */
const TIMEOUTS = { connectionTimeout: 8_000, greetingTimeout: 8_000, socketTimeout: 20_000, dnsTimeout: 8_000 };

/** E-mail by SMTP. One message per fact; its Message-ID is made from the event id, so that mailboxes can tell a repetition. */
export class OldEmailChannel implements OldChannel {
  readonly name = 'email';
  readonly #ledger = new Ledger();
  readonly #underWay = new Map<string, Promise<readonly string[]>>();

  constructor(private readonly config: NotifierConfig) {}

  deliver(fact: OutcomeFact): Promise<readonly string[]> {
    // A fact that is delivered again while its first delivery is still talking to the server joins it.
    const running = this.#underWay.get(fact.eventId);
    if (running) return running;
    const delivery = this.#send(fact).finally(() => this.#underWay.delete(fact.eventId));
    this.#underWay.set(fact.eventId, delivery);
    return delivery;
  }

  async #send(fact: OutcomeFact): Promise<readonly string[]> {
    if (fact.kind === 'cancelled' || this.config.smtp.host === '') return [];
    const recipients = recipientsOf(fact, this.config);
    if (recipients.length === 0) return [];
    const delivery = this.#ledger.of(fact.eventId);
    const open = recipients.filter((address) => !delivery.taken.has(address) && !delivery.refused.has(address));
    const taken = open.length === 0 ? [] : await this.#converse(fact, recipients, open, delivery);
    const refused = [...delivery.refused].map(([address, answer]) => `${address} (${answer})`);
    if (refused.length > 0) {
      throw new JobError('BAD_REQUEST', `The mail server refused ${refused.join(', ')} for ${subjectOf(fact)}.`);
    }
    return taken;
  }

  /** One conversation with the server for the recipients still open; the header names all of them. */
  async #converse(
    fact: MailFact,
    recipients: readonly string[],
    open: readonly string[],
    delivery: Delivery,
  ): Promise<readonly string[]> {
    const mail = composeMail(fact);
    const { from } = this.config.smtp;
    let failed: readonly SmtpError[];
    try {
      const sent = await transport(this.config.smtp).sendMail({
        from,
        to: [...recipients],
        envelope: { from, to: [...open] },
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
        messageId: messageId(fact.eventId),
        // RFC 3834: no out-of-office answers, please.
        headers: {
          'Auto-Submitted': 'auto-generated',
          [fact.kind === 'batch' ? 'X-Hyper2kvm-Batch' : 'X-Hyper2kvm-Job']: subjectOf(fact),
        },
      });
      failed = (sent['rejectedErrors'] as readonly SmtpError[] | undefined) ?? [];
    } catch (error) {
      failed = failuresOf(error as SmtpError, open);
    }
    const unsent = new Set(failed.map((failure) => failure.recipient));
    const taken = open.filter((address) => !unsent.has(address));
    for (const address of taken) delivery.taken.add(address);
    for (const failure of failed) {
      if (failure.permanent && failure.recipient) delivery.refused.set(failure.recipient, answerOf(failure));
    }
    const again = failed.find((failure) => !failure.permanent);
    if (again) throw new Error(`mail server ${this.config.smtp.host}: ${answerOf(again)}`, { cause: again });
    return taken;
  }
}

/** Who did not get it, when nothing was sent. */
function failuresOf(error: SmtpError, open: readonly string[]): readonly SmtpError[] {
  if (error.rejectedErrors && error.rejectedErrors.length > 0) return error.rejectedErrors;
  // A 5xx to our login or sender is a fault of the configuration: once mended, the waiting messages still go out.
  const permanent = error.permanent === true && error.command === 'DATA';
  return open.map((recipient) => ({ message: error.message, response: error.response, permanent, recipient }));
}

const answerOf = (error: SmtpError): string => (error.response ?? error.message).replaceAll(/\s+/g, ' ').slice(0, 300);

/** `<event id>@hyper2kvm`; what may not stand in a Message-ID becomes a dash. */
export const messageId = (eventId: string): string => `<${eventId.replaceAll(/[^\w.-]/g, '-')}@hyper2kvm>`;

function transport(smtp: SmtpConfig) {
  const starttls = startTls(smtp);
  return createTransport({
    host: smtp.host,
    port: smtpPort(smtp),
    secure: smtp.secure,
    requireTLS: !smtp.secure && starttls === 'required',
    ignoreTLS: !smtp.secure && starttls === 'never',
    ...(smtp.user === undefined ? {} : { auth: { user: smtp.user, pass: smtp.password } }),
    ...TIMEOUTS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}
