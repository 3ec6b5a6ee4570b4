import { RetryLater } from '@hyper2kvm/runtime';
import type { SmtpConfig } from '../config.js';
import { subjectOf } from '../fact.js';
import type { Templates } from '../messages/index.js';
import type { Channel, Message, Outcome } from './channel.js';
import { Receiver } from './receiver.js';
import { CONNECTIONS, openPool, SMTP_LIMITS, type SmtpLimits } from './smtp.js';
import { isUnreached, outcomesOf, outcomesOfError, type SmtpError } from './smtp-answer.js';
import { UnderWay } from './under-way.js';

/** A server that keeps a conversation alive and never ends it is let go. */
const CONVERSATION_MS = 60_000;
const FIRST_PAUSE_MS = 1_000;

export interface EmailOptions extends Partial<SmtpLimits> {
  /** How long the server is left alone when it cannot be reached, at first. */
  readonly pauseMs?: number;
}

/** E-mail by SMTP: one mail for all addresses that are told of the same. Its Message-ID is the message's id. */
export class EmailChannel implements Channel {
  readonly name = 'email';
  readonly #underWay = new UnderWay();
  readonly #server: Receiver;
  readonly #pool: ReturnType<typeof openPool>;

  /** @throws when `ca_file` cannot be read */
  constructor(
    private readonly smtp: SmtpConfig,
    private readonly templates: Templates,
    { pauseMs = FIRST_PAUSE_MS, ...limits }: EmailOptions = {},
  ) {
    this.#server = new Receiver({ calls: CONNECTIONS, firstPauseMs: pauseMs, isSilence: isUnreached });
    this.#pool = openPool(smtp, { ...SMTP_LIMITS, ...limits });
  }

  async send(message: Message, targets: readonly string[], signal: AbortSignal): Promise<readonly Outcome[]> {
    return this.#underWay.join(message, targets, async (fresh) => this.#mail(message, fresh, signal));
  }

  shown(target: string): string {
    return target;
  }

  /** Closes connections that have nothing to do; the others once their message is through. */
  close(): void {
    this.#pool.close();
  }

  async #mail(message: Message, targets: readonly string[], signal: AbortSignal): Promise<readonly Outcome[]> {
    try {
      const answer = await this.#server.take(async () => {
        // A conversation that has begun goes on: broken off, nobody knew whether the mail was taken.
        signal.throwIfAborted();
        const limit = AbortSignal.timeout(CONVERSATION_MS);
        return this.#pool.sendMail({ ...this.#compose(message), to: [...targets], signal: limit });
      }, message.kind === 'test');
      return outcomesOf(answer, targets, this.smtp.host);
    } catch (error) {
      if (!(error instanceof RetryLater)) return outcomesOfError(error as SmtpError, targets, this.smtp.host);
      const reason = `mail server ${this.smtp.host}: ${error.message}`;
      return targets.map((target) => ({ target, result: 'later', reason, afterMs: error.afterMs }));
    }
  }

  #compose(message: Message) {
    const { from } = this.smtp;
    const { subject, text, html } = this.templates.mail(message);
    return { from, subject, text, html, messageId: messageId(message.id), headers: headersOf(message, from) };
  }
}

/** For filters of mail readers, and against out-of-office answers (RFC 3834). */
function headersOf(message: Message, from: string): Record<string, string> {
  const [fact] = message.facts;
  const batch = message.digest?.batch?.batch_id;
  const domain = /@([\w.-]+)>?\s*$/.exec(from)?.[1] ?? 'localhost';
  return {
    'Auto-Submitted': 'auto-generated',
    'List-Id': `hyper2kvm <hyper2kvm.${domain}>`,
    ...(message.kind === 'fact' && fact ? { [fact.kind === 'batch' ? BATCH : JOB]: subjectOf(fact) } : {}),
    ...(batch === undefined ? {} : { [BATCH]: batch }),
  };
}
const JOB = 'X-Hyper2kvm-Job';
const BATCH = 'X-Hyper2kvm-Batch';

/** `<id>@hyper2kvm`; what may not stand in a Message-ID becomes a dash. */
export const messageId = (id: string): string => `<${id.replaceAll(/[^\w.-]/g, '-')}@hyper2kvm>`;
