import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { SMTPServer } from 'smtp-server';

export interface MailboxOptions {
  /** PEM. STARTTLS is offered; with `secure` TLS is spoken from the first byte. */
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly secure?: boolean;
}

/** A mail as the server took it. */
export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Headers and all parts; soft line breaks of quoted-printable are joined. */
  readonly raw: string;
  /** Whether it came over TLS. */
  readonly encrypted: boolean;
  header(name: string): string | undefined;
}

const refusal = (code: number): Error => Object.assign(new Error(`refused with ${code}`), { responseCode: code });

/** A real SMTP server on loopback that keeps what it takes and refuses what it is told to. */
export class Mailbox {
  readonly mails: ReceivedMail[] = [];
  readonly #refused = new Map<string, number>();
  #dataCode: number | undefined;
  #senderCode: number | undefined;
  #login: { user: string; password: string } | undefined;
  #greeting: number | undefined;
  #meanwhile: () => Promise<unknown> = () => Promise.resolve();
  #connections = 0;
  readonly #server: SMTPServer;

  private constructor({ tls, secure = false }: MailboxOptions) {
    this.#server = new SMTPServer({
      ...(tls === undefined ? { disabledCommands: ['STARTTLS'] } : tls),
      secure,
      // A server that goes down waits for nobody.
      closeTimeout: 1,
      onConnect: (_session, done) => {
        this.#connections += 1;
        done(this.#greeting === undefined ? null : refusal(this.#greeting));
      },
      authOptional: true,
      allowInsecureAuth: true,
      onAuth: (auth, _session, done) => {
        const right = auth.username === this.#login?.user && auth.password === this.#login?.password;
        done(right ? null : refusal(535), right ? { user: auth.username ?? '' } : undefined);
      },
      onMailFrom: (_address, _session, done) => done(this.#senderCode === undefined ? null : refusal(this.#senderCode)),
      onRcptTo: (address, _session, done) => {
        const code = this.#refused.get(address.address);
        done(code === undefined ? null : refusal(code));
      },
      onData: (stream, session, done) => {
        text(stream).then(async (raw) => {
          await this.#meanwhile();
          if (this.#dataCode !== undefined) return done(refusal(this.#dataCode));
          const from = session.envelope.mailFrom === false ? '' : session.envelope.mailFrom.address;
          this.mails.push(
            received(
              from,
              session.envelope.rcptTo.map(({ address }) => address),
              raw,
              session.secure,
            ),
          );
          return done();
        }, done);
      },
    });
  }

  /** @param port 0 chooses a free one */
  static async open(port = 0, options: MailboxOptions = {}): Promise<Mailbox> {
    const mailbox = new Mailbox(options);
    await new Promise<void>((resolve, reject) => {
      mailbox.#server.once('error', reject);
      mailbox.#server.listen(port, '127.0.0.1', resolve);
    });
    // A client that breaks off in the middle is part of the tests.
    mailbox.#server.on('error', () => undefined);
    mailbox.#port = (mailbox.#server.server.address() as AddressInfo).port;
    return mailbox;
  }

  #port = 0;
  get port(): number {
    return this.#port;
  }

  refuse(address: string, code: number): void {
    this.#refused.set(address, code);
  }
  accept(address: string): void {
    this.#refused.delete(address);
  }
  /** Undefined: takes data again. */
  refuseData(code: number | undefined): void {
    this.#dataCode = code;
  }
  refuseSender(code: number | undefined): void {
    this.#senderCode = code;
  }
  login(user: string, password: string): void {
    this.#login = { user, password };
  }
  /** Turns everybody away who connects; undefined: no longer. */
  refuseConnections(code: number | undefined): void {
    this.#greeting = code;
  }
  /** Answers to a message only then. */
  answersAfter(meanwhile: () => Promise<unknown>): void {
    this.#meanwhile = meanwhile;
  }
  /** Since it was opened. */
  get connections(): number {
    return this.#connections;
  }
  get connectionsNow(): number {
    return this.#server.connections.size;
  }
  /** Ends every connection, as a server does that finds them idle for too long. */
  async hangUp(): Promise<void> {
    for (const connection of this.#server.connections) (connection as unknown as { close(): void }).close();
    while (this.connectionsNow > 0) await pause(5);
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}

function received(from: string, to: readonly string[], raw: string, encrypted: boolean): ReceivedMail {
  const [head = ''] = raw.split('\r\n\r\n', 1);
  const lines = head.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n');
  const header = (name: string): string | undefined =>
    lines.find((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}: `))?.slice(name.length + 2);
  return { from, to, raw: raw.replaceAll('=\r\n', ''), encrypted, header };
}
