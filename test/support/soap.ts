/**
 * The least SOAP that a test needs to look at a vCenter without the product's own client: one POST per call, answers as
 * text to search.
 */
import { request } from 'node:https';
import type { IncomingMessage } from 'node:http';

export interface SoapAnswer {
  status: number;
  body: string;
}

export class MinimalSoap {
  #cookie: string | undefined;

  /** @param ca PEM of the certificate to trust */
  constructor(
    private readonly url: string,
    private readonly ca: string,
  ) {}

  /** @param inner the arguments after `_this`, as XML */
  async call(method: string, this_: { type: string; value: string }, inner = ''): Promise<SoapAnswer> {
    const envelope =
      '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">' +
      `<Body><${method} xmlns="urn:vim25"><_this type="${this_.type}">${this_.value}</_this>${inner}</${method}></Body></Envelope>`;
    const response = await this.#send('POST', this.url, { SOAPAction: 'urn:vim25/6.7' }, envelope);
    const cookie = response.headers['set-cookie']?.[0]?.split(';')[0];
    if (cookie !== undefined) this.#cookie = cookie;
    return { status: response.statusCode ?? 0, body: (await collect(response)).toString('utf8') };
  }

  login(username: string, password: string): Promise<SoapAnswer> {
    const inner = `<userName>${username}</userName><password>${password}</password>`;
    return this.call('Login', { type: 'SessionManager', value: 'SessionManager' }, inner);
  }

  /** Reads properties of one object. */
  properties(object: { type: string; value: string }, ...paths: string[]): Promise<SoapAnswer> {
    const wanted = paths.map((path) => `<pathSet>${path}</pathSet>`).join('');
    const inner =
      `<specSet><propSet><type>${object.type}</type>${wanted}</propSet>` +
      `<objectSet><obj type="${object.type}">${object.value}</obj></objectSet></specSet><options/>`;
    return this.call('RetrievePropertiesEx', { type: 'PropertyCollector', value: 'propertyCollector' }, inner);
  }

  /** GET of a lease's URL, unread. */
  open(url: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
    return this.#send('GET', url, headers);
  }

  /** GET of a lease's URL, whole. */
  async download(url: string): Promise<Buffer> {
    const response = await this.open(url);
    if (response.statusCode !== 200) throw new Error(`${url} answered ${response.statusCode}`);
    return collect(response);
  }

  #send(method: string, url: string, headers: Record<string, string>, body?: string): Promise<IncomingMessage> {
    const cookie = this.#cookie === undefined ? {} : { Cookie: this.#cookie };
    return new Promise((resolve, reject) => {
      const call = request(url, { method, ca: this.ca, agent: false, headers: { ...headers, ...cookie } }, resolve);
      call.on('error', reject);
      call.end(body);
    });
  }
}

/** The reference of that type in an answer. @throws Error when there is none */
export function referenceIn(answer: SoapAnswer, type: string): { type: string; value: string } {
  const value = new RegExp(`type="${type}"[^>]*>([^<]+)<`).exec(answer.body)?.[1];
  if (value === undefined) throw new Error(`no ${type} in: ${answer.body}`);
  return { type, value };
}

/** The whole body. */
export async function collect(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
