import { fileURLToPath } from 'node:url';
import { createClientAsync, type Client } from 'soap';
import { hostOf, sameHost, type Endpoint } from './endpoint.js';
import { AnswerError, VimFault, faultOf, toJobError } from './faults.js';
import { SoapHttp, type CallOptions } from './soap-http.js';
import { child, ref, toSoap, type Ref } from './values.js';

/** From src and from dist alike: the file is not compiled. */
const WSDL = fileURLToPath(new URL('../../../wsdl/vim25.wsdl', import.meta.url));
const SERVICE_INSTANCE: Ref = { type: 'ServiceInstance', id: 'ServiceInstance' };
const LOGIN_TIMEOUT_MS = 10_000;

type Operation = (args: object, options: object) => Promise<[unknown]>;

/** The managers that every vCenter and ESXi has; their ids differ. */
interface Service {
  readonly rootFolder: Ref;
  readonly propertyCollector: Ref;
  readonly viewManager: Ref;
  readonly sessionManager: Ref;
  readonly searchIndex: Ref;
}

/** A session with a vCenter. Renews itself once when vCenter has ended it. */
export class VimSession {
  private renewal: Promise<void> | undefined;

  private constructor(
    readonly endpoint: Endpoint,
    private readonly http: SoapHttp,
    private readonly client: Client,
    readonly service: Service,
  ) {}

  /** Connects and logs in. @throws JobError VCENTER_UNREACHABLE, VCENTER_TLS, VCENTER_LOGIN, … */
  static async login(endpoint: Endpoint, options: CallOptions = {}): Promise<VimSession> {
    const http = new SoapHttp(endpoint.trust);
    const server = hostOf(endpoint.server);
    try {
      const url = `https://${server}/sdk`;
      const client = await createClientAsync(WSDL, { httpClient: http.client, disableCache: false }, url);
      const first = { timeoutMs: LOGIN_TIMEOUT_MS, ...options };
      const content = await invoke(client, 'RetrieveServiceContent', SERVICE_INSTANCE, {}, first);
      const session = new VimSession(endpoint, http, client, readService(content));
      await session.logIn(first);
      return session;
    } catch (error) {
      http.close();
      throw toJobError(error, server, 'the login');
    }
  }

  get server(): string {
    return hostOf(this.endpoint.server);
  }

  /** The session's cookie for a URL of the same host; no other host gets it. */
  cookieFor(url: URL): string | undefined {
    return sameHost(url, this.endpoint.server) ? this.http.cookie : undefined;
  }

  /**
   * Calls a method of a managed object and gives its `returnval`. @throws VimFault and the errors of the connection
   * @param args in the order of the WSDL: it is the order on the wire
   */
  async call(method: string, self: Ref, args: object = {}, options: CallOptions = {}): Promise<unknown> {
    try {
      return await invoke(this.client, method, self, args, options);
    } catch (error) {
      if (!(error instanceof VimFault && error.fault === 'NotAuthenticated')) throw error;
    }
    // Concurrent calls renew once.
    this.renewal ??= this.logIn(options).finally(() => {
      this.renewal = undefined;
    });
    await this.renewal;
    return invoke(this.client, method, self, args, options);
  }

  /** Logs out, as far as vCenter can be reached, and closes the connections. */
  async close(): Promise<void> {
    await invoke(this.client, 'Logout', this.service.sessionManager, {}, { timeoutMs: LOGIN_TIMEOUT_MS }).catch(
      () => {},
    );
    this.http.close();
  }

  private async logIn(options: CallOptions): Promise<void> {
    // A second login within a live session is refused.
    this.http.cookie = undefined;
    const { username, password } = this.endpoint;
    await invoke(this.client, 'Login', this.service.sessionManager, { userName: username, password }, options);
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
  };
}
