import type { IncomingHttpHeaders } from 'node:http';
import { Connection, type Service, type VimUser } from './connection.js';
import { hostOf, sameHost, type Endpoint } from './endpoint.js';
import type { CallOptions } from './soap-http.js';
import type { Ref } from './values.js';

/** One user's hold on a connection to a vCenter, its own or a shared one. */
export class VimSession {
  private given: Promise<void> | undefined;

  /** @param giveBack called once, by the first `close` */
  constructor(
    readonly endpoint: Endpoint,
    private readonly connection: Connection,
    private readonly giveBack: () => Promise<void>,
  ) {}

  /** A session of its own, which `close` logs out. @throws JobError VCENTER_UNREACHABLE, VCENTER_TLS, VCENTER_LOGIN, … */
  static async login(endpoint: Endpoint, options: CallOptions = {}): Promise<VimSession> {
    const connection = await Connection.login(endpoint, options);
    return new VimSession(endpoint, connection, () => connection.close());
  }

  get server(): string {
    return hostOf(this.endpoint.server);
  }

  get service(): Service {
    return this.connection.service;
  }

  /** As it was at the last login. */
  get user(): VimUser {
    return this.connection.user;
  }

  /** The session's cookie for a URL of the same host; no other host gets it. */
  cookieFor(url: URL): string | undefined {
    return sameHost(url, this.endpoint.server) ? this.connection.cookie : undefined;
  }

  /**
   * Calls a method of a managed object and gives its `returnval`. @throws VimFault and the errors of the connection
   * @param args in the order of the WSDL: it is the order on the wire
   */
  async call(method: string, self: Ref, args: object = {}, options: CallOptions = {}): Promise<unknown> {
    return this.connection.call(method, self, args, options);
  }

  /** Status and headers of what vCenter answers at a URL of its own. @throws the errors of the connection */
  async head(
    url: URL,
    request: { method: string; headers?: Record<string, string> },
    options: CallOptions = {},
  ): Promise<{ status: number; headers: IncomingHttpHeaders }> {
    const cookie = this.cookieFor(url);
    const headers = { ...request.headers, ...(cookie === undefined ? {} : { Cookie: cookie }) };
    return this.connection.head(url, { method: request.method, headers }, options);
  }

  /** Asks vCenter's REST side, which knows nothing of this session. @throws the errors of the connection */
  async json(
    path: string,
    request: { method: string; headers: Record<string, string>; body?: object },
    options: CallOptions = {},
  ): Promise<{ status: number; body: unknown }> {
    return this.connection.json(new URL(`https://${this.server}${path}`), request, options);
  }

  /** Renews the session where vCenter has ended it. @throws as `call` */
  async touch(options: CallOptions = {}): Promise<void> {
    await this.connection.touch(options);
  }

  /** Gives it back: one's own is logged out, a shared one stays for others. */
  async close(): Promise<void> {
    await (this.given ??= this.giveBack());
  }
}
