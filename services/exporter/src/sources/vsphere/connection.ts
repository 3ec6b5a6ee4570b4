import type { IncomingHttpHeaders } from 'node:http';
import { fileURLToPath } from 'node:url';
import { addEvent } from '@hyper2kvm/runtime';
import { createClientAsync, type Client } from 'soap';
import { hostOf, type Endpoint } from './endpoint.js';
import { AnswerError, VimFault, faultOf, toJobError } from './faults.js';
import { SoapHttp, type CallOptions } from './soap-http.js';
import { child, ref, text, toSoap, type Ref } from './values.js';

/** From src and from dist alike: the file is not compiled. */
const WSDL = fileURLToPath(new URL('../../../wsdl/vim25.wsdl', import.meta.url));
const SERVICE_INSTANCE: Ref = { type: 'ServiceInstance', id: 'ServiceInstance' };
const LOGIN_TIMEOUT_MS = 10_000;

type Operation = (args: object, options: object) => Promise<[unknown]>;

/** The managers that every vCenter and ESXi has; their ids differ. */
export interface Service {
  readonly rootFolder: Ref;
  readonly propertyCollector: Ref;
  readonly viewManager: Ref;
  readonly sessionManager: Ref;
  readonly searchIndex: Ref;
  /** Not told by every server. */
  readonly authorizationManager: Ref | undefined;
  readonly about: About;
}

/** What the server says that it is. */
export interface About {
  /** `VMware vCenter Server 8.0.2 build-22617221` */
  readonly fullName: string;
  readonly apiVersion: string;
  readonly instanceUuid: string | undefined;
}

/** The session as vCenter knows it. */
export interface VimUser {
  readonly sessionId: string | undefined;
  /** `VSPHERE.LOCAL\\Administrator` */
  readonly userName: string | undefined;
}

/** A login at a vCenter, which any number of users may share. Renews itself once when vCenter has ended it. */
export class Connection {
  /** The last call did not reach vCenter, or had no answer. */
  broken = false;
  user: VimUser = { sessionId: undefined, userName: undefined };
  private renewal: Promise<void> | undefined;

  private constructor(
    private readonly account: Pick<Endpoint, 'username' | 'password'>,
    private readonly http: SoapHttp,
    private readonly client: Client,
    readonly service: Service,
  ) {}

  /** Connects and logs in. @throws JobError VCENTER_UNREACHABLE, VCENTER_TLS, VCENTER_LOGIN, … */
  static async login(endpoint: Endpoint, options: CallOptions = {}): Promise<Connection> {
    const http = new SoapHttp(endpoint.trust);
    const server = hostOf(endpoint.server);
    try {
      const url = `https://${server}/sdk`;
      const client = await createClientAsync(WSDL, { httpClient: http.client, disableCache: false }, url);
      const first = { timeoutMs: LOGIN_TIMEOUT_MS, ...options };
      const content = await invoke(client, 'RetrieveServiceContent', SERVICE_INSTANCE, {}, first);
      const connection = new Connection(endpoint, http, client, readService(content));
      await connection.logIn(first);
      return connection;
    } catch (error) {
      http.close();
      throw toJobError(error, server, 'the login');
    }
  }

  get cookie(): string | undefined {
    return this.http.cookie;
  }

  /** @throws VimFault and the errors of the connection */
  async call(method: string, self: Ref, args: object, options: CallOptions): Promise<unknown> {
    const { cookie } = this.http;
    try {
      return await this.callOnce(method, self, args, options);
    } catch (error) {
      if (!(error instanceof VimFault && error.fault === 'NotAuthenticated')) throw error;
    }
    addEvent('session renewed');
    // Another call may have renewed it meanwhile.
    if (this.renewal !== undefined || this.http.cookie === cookie) await this.renew();
    return this.callOnce(method, self, args, options);
  }

  /** Status and headers of an answer whose body does not matter. @throws the errors of the connection */
  async head(
    url: URL,
    request: { method: string; headers: Record<string, string> },
    options: CallOptions,
  ): Promise<{ status: number; headers: IncomingHttpHeaders }> {
    return this.http.head(url, request, options);
  }

  /** @throws the errors of the connection */
  async json(
    url: URL,
    request: { method: string; headers: Record<string, string>; body?: object },
    options: CallOptions,
  ): Promise<{ status: number; body: unknown }> {
    return this.http.json(url, request, options);
  }

  /** Something that needs a login and nothing else; vCenter takes it as a sign of life. */
  async touch(options: CallOptions): Promise<void> {
    await this.call('CurrentTime', SERVICE_INSTANCE, {}, options);
  }

  /** Logs out, as far as vCenter can be reached, and closes the connections. */
  async close(): Promise<void> {
    await invoke(this.client, 'Logout', this.service.sessionManager, {}, { timeoutMs: LOGIN_TIMEOUT_MS }).catch(
      () => {},
    );
    this.http.close();
  }

  private async callOnce(method: string, self: Ref, args: object, options: CallOptions): Promise<unknown> {
    try {
      const answer = await invoke(this.client, method, self, args, options);
      this.broken = false;
      return answer;
    } catch (error) {
      this.broken = !(error instanceof VimFault) && options.signal?.aborted !== true;
      throw error;
    }
  }

  private async renew(): Promise<void> {
    // Concurrent calls renew once, and none of them can stop it for the others.
    this.renewal ??= this.logIn({ timeoutMs: LOGIN_TIMEOUT_MS })
      .catch((error: unknown) => {
        // A user whose password is not taken any more cannot use this connection again.
        this.broken = true;
        throw error;
      })
      .finally(() => {
        this.renewal = undefined;
      });
    await this.renewal;
  }

  private async logIn(options: CallOptions): Promise<void> {
    // A second login within a live session is refused.
    this.http.cookie = undefined;
    const { username, password } = this.account;
    const answer = await invoke(
      this.client,
      'Login',
      this.service.sessionManager,
      { userName: username, password },
      options,
    );
    this.user = { sessionId: text(answer, 'key'), userName: text(answer, 'userName') };
  }
}

async function invoke(client: Client, method: string, self: Ref, args: object, options: CallOptions): Promise<unknown> {
  const operation = (client as unknown as Record<string, Operation | undefined>)[`${method}Async`];
  if (operation === undefined) throw new Error(`the WSDL has no operation ${method}`);
  try {
    const [answer] = await operation.call(client, { _this: toSoap(self), ...args }, options);
    return child(answer, 'returnval');
  } catch (error) {
    const fault = faultOf(error);
    if (fault !== undefined) throw fault;
    options.signal?.throwIfAborted();
    // What the library makes of an unreadable answer carries the answer and more along: only its words are kept.
    if (child(error, 'body') !== undefined) throw new AnswerError('it answered with something that is no SOAP');
    throw error;
  } finally {
    // The library keeps the last request, in which the password may be.
    Object.assign(client, { lastRequest: undefined, lastMessage: undefined });
  }
}

function readService(content: unknown): Service {
  const manager = (name: string): Ref => {
    const found = ref(content, name);
    if (found === undefined) throw new AnswerError(`it has no ${name}; is this a vCenter?`);
    return found;
  };
  return {
    rootFolder: manager('rootFolder'),
    propertyCollector: manager('propertyCollector'),
    viewManager: manager('viewManager'),
    sessionManager: manager('sessionManager'),
    searchIndex: manager('searchIndex'),
    authorizationManager: ref(content, 'authorizationManager'),
    about: {
      fullName: text(content, 'about.fullName') ?? text(content, 'about.name') ?? 'unknown',
      apiVersion: text(content, 'about.apiVersion') ?? 'unknown',
      instanceUuid: text(content, 'about.instanceUuid'),
    },
  };
}
