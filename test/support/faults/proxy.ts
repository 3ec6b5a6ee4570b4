/** An HTTPS proxy in front of the simulated vCenter that breaks what it is told to. Listens on loopback. */
import { createHash, type Hash } from 'node:crypto';
import { Agent, createServer, request } from 'node:https';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { makeCertificate, type Certificate } from './certificate.js';
import { passBody } from './body.js';
import { Rules, type Fault, type Rule } from './rules.js';
import { leaseDisks, manifestAnswer, methodOf, soapFault } from './soap.js';

/** What was asked for under one path, since the start or the last `forget`. */
export interface Traffic {
  method: string;
  path: string;
  requests: number;
  /** Of answers' bodies, as handed to the connection. */
  bytes: number;
}

export interface FaultProxy {
  /** 127.0.0.1:PORT, as `--vcenter` takes it. */
  readonly host: string;
  readonly url: string;
  /** Of the certificate that is shown to new connections. */
  readonly thumbprint: string;
  readonly certificate: string;
  add(rule: Rule): { remove(): void; hits(): number };
  /** Drops all rules and counts. */
  reset(): void;
  traffic(path?: RegExp): Traffic[];
  /** Bytes of bodies of GET requests to such paths. */
  bytes(path: RegExp): number;
  stop(): Promise<void>;
}

export interface Upstream {
  /** 127.0.0.1:PORT */
  host: string;
  /** PEM. */
  certificate: string;
}

/** @param starHosts lease URLs name `*` instead of a host, as ESXi's do */
export async function startFaultProxy(upstream: Upstream, options: { starHosts?: boolean } = {}): Promise<FaultProxy> {
  const rules = new Rules();
  const first = await makeCertificate();
  const proxy = new Proxy(upstream, rules, first, options.starHosts ?? false);
  await proxy.listen();
  return {
    host: proxy.host,
    url: `https://${proxy.host}/sdk`,
    get thumbprint() {
      return proxy.shown.thumbprint;
    },
    get certificate() {
      return proxy.shown.cert;
    },
    add: (rule) => rules.add(rule),
    reset: () => {
      rules.clear();
      proxy.traffic.clear();
      proxy.show(first);
    },
    traffic: (path) => [...proxy.traffic.values()].filter((entry) => path?.test(entry.path) ?? true),
    bytes: (path) =>
      [...proxy.traffic.values()]
        .filter((entry) => entry.method === 'GET' && path.test(entry.path))
        .reduce((sum, { bytes }) => sum + bytes, 0),
    stop: async () => proxy.stop(),
  };
}

class Proxy {
  readonly traffic = new Map<string, Traffic>();
  host = '';
  private readonly server;
  private readonly agent: Agent;
  private readonly stopped = new AbortController();
  /** Keys of disks by the path of their URL, from the leases that passed. */
  private readonly keys = new Map<string, string>();
  /** What vCenter sent last under each path of a lease. */
  private readonly sent = new Map<string, { hash: Hash; size: number }>();

  constructor(
    private readonly upstream: Upstream,
    private readonly rules: Rules,
    public shown: Certificate,
    private readonly starHosts: boolean,
  ) {
    this.agent = new Agent({ ca: upstream.certificate, keepAlive: true });
    this.server = createServer({ key: shown.key, cert: shown.cert }, (from, out) => {
      this.handle(from, out).catch((error: unknown) => {
        // The client, or vCenter, went away in the middle.
        out.destroy(error instanceof Error ? error : undefined);
      });
    });
    // A connection that was kept shows the certificate that it began with: only a client ends it.
    this.server.keepAliveTimeout = 0;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(0, '127.0.0.1', resolve);
    });
    this.host = `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  show(certificate: Certificate): void {
    this.shown = certificate;
    this.server.setSecureContext({ key: certificate.key, cert: certificate.cert });
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    this.agent.destroy();
    const closed = new Promise((resolve) => {
      this.server.close(resolve);
    });
    this.server.closeAllConnections();
    await closed;
  }

  private async handle(from: IncomingMessage, out: ServerResponse): Promise<void> {
    const method = from.method ?? 'GET';
    const path = decodeURIComponent(new URL(from.url ?? '/', 'https://proxy').pathname);
    const body = await collect(from);
    const soap = path === '/sdk' ? methodOf(body.toString('utf8')) : undefined;
    const fault = this.rules.strike({ method, path, soap });
    const entry = this.count(method, path);
    if (fault?.kind === 'new-certificate') this.show(await makeCertificate());
    const own = this.ownAnswer(fault);
    if (own !== undefined) {
      entry.bytes += own.body.length;
      out.writeHead(own.status, { 'Content-Type': own.type, 'Content-Length': own.body.length });
      out.end(own.body);
      return;
    }
    const answer = await this.forward(from, body, fault);
    if (soap !== undefined) await this.passSoap(answer, out, fault, entry);
    else await this.pass(method, path, answer, out, fault, entry);
  }

  private count(method: string, path: string): Traffic {
    const name = `${method} ${path}`;
    const entry = this.traffic.get(name) ?? { method, path, requests: 0, bytes: 0 };
    this.traffic.set(name, entry);
    entry.requests++;
    return entry;
  }

  /** What the proxy answers without asking vCenter. */
  private ownAnswer(fault: Fault | undefined): OwnAnswer | undefined {
    if (fault?.kind === 'status') return own(fault.status, 'text/html', `<html><body>${fault.status}</body></html>`);
    if (fault?.kind === 'empty') return own(200, 'application/octet-stream', '');
    if (fault?.kind === 'soap-fault')
      return own(500, 'text/xml', soapFault(fault.fault, fault.words ?? `injected ${fault.fault}`));
    if (fault?.kind === 'manifest') return own(200, 'text/xml', this.manifest(fault.wrong ?? false));
    return undefined;
  }

  private manifest(wrong: boolean): string {
    const entries = [...this.sent].flatMap(([path, { hash, size }]) => {
      const key = this.keys.get(path);
      const sha1 = hash.copy().digest('hex');
      return key === undefined ? [] : [{ key, sha1: wrong ? '0'.repeat(40) : sha1, size }];
    });
    return manifestAnswer(entries);
  }

  private forward(from: IncomingMessage, body: Buffer, fault: Fault | undefined): Promise<IncomingMessage> {
    const headers: IncomingHttpHeaders = { ...from.headers, host: this.upstream.host };
    delete headers.connection;
    if (fault?.kind === 'no-range') delete headers.range;
    const [hostname, port] = this.upstream.host.split(':');
    return new Promise((resolve, reject) => {
      const call = request(
        { hostname, port, path: from.url, method: from.method, headers, agent: this.agent },
        resolve,
      );
      call.on('error', reject);
      call.end(body);
    });
  }

  private async passSoap(
    answer: IncomingMessage,
    out: ServerResponse,
    fault: Fault | undefined,
    entry: Traffic,
  ): Promise<void> {
    const lease = this.starHosts ? '*' : this.host;
    let text = (await collect(answer))
      .toString('utf8')
      .replaceAll(`https://${this.upstream.host}/nfc/`, `https://${lease}/nfc/`);
    text = text.replaceAll(this.upstream.host, this.host);
    for (const { key, path } of leaseDisks(text)) this.keys.set(path, key);
    if (fault?.kind === 'replace') text = text.replace(fault.what, fault.by);
    const body = Buffer.from(text);
    out.writeHead(answer.statusCode ?? 502, { ...passedOn(answer.headers), 'content-length': body.length });
    await passBody(pieces(body), out, fault, (bytes) => (entry.bytes += bytes), this.stopped.signal);
  }

  private async pass(
    method: string,
    path: string,
    answer: IncomingMessage,
    out: ServerResponse,
    fault: Fault | undefined,
    entry: Traffic,
  ): Promise<void> {
    const headers = passedOn(answer.headers);
    if (fault?.kind === 'short') delete headers['content-length'];
    if (fault?.kind === 'headers')
      for (const [name, value] of Object.entries(typeof fault.set === 'function' ? fault.set(headers) : fault.set)) {
        if (value === undefined) delete headers[name.toLowerCase()];
        else headers[name.toLowerCase()] = value;
      }
    out.writeHead(answer.statusCode ?? 502, headers);
    if (method === 'HEAD') {
      answer.resume();
      out.end();
      return;
    }
    try {
      const body = path.startsWith('/nfc/') ? this.watched(path, answer) : (answer as AsyncIterable<Buffer>);
      await passBody(body, out, fault, (bytes) => (entry.bytes += bytes), this.stopped.signal);
    } finally {
      answer.destroy();
    }
  }

  /** Notes what vCenter sent, for its manifest. */
  private async *watched(path: string, answer: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const sent = { hash: createHash('sha1'), size: 0 };
    this.sent.set(path, sent);
    for await (const piece of answer) {
      sent.hash.update(piece);
      sent.size += piece.length;
      yield piece;
    }
  }
}

interface OwnAnswer {
  status: number;
  type: string;
  body: Buffer;
}

const own = (status: number, type: string, body: string): OwnAnswer => ({ status, type, body: Buffer.from(body) });

/** Headers that are of the answer and not of the connection. */
function passedOn(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const rest = { ...headers };
  delete rest.connection;
  delete rest['transfer-encoding'];
  return rest;
}

async function* pieces(body: Buffer): AsyncGenerator<Buffer> {
  yield body;
}

async function collect(from: AsyncIterable<unknown>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of from) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
