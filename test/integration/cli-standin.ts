import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { execa, type Options, type Result } from 'execa';
import { fileURLToPath } from 'node:url';

/**
 * A stand-in for the gateway, where a test needs answers that the real one gives only in trouble (gone in the middle of a
 * stream, not a gateway at all). It speaks the contracts over real HTTP; it has no logic of its own.
 */
export class StandIn {
  readonly requests: { method: string; path: string; headers: IncomingMessage['headers']; body: unknown }[] = [];
  #server: Server | undefined;
  #port = 0;

  constructor(private readonly answer: (path: string, request: IncomingMessage, response: ServerResponse) => void) {}

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** A second start takes the same port again. */
  async start(): Promise<this> {
    this.#server = createServer((request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      request.on('end', () => {
        const path = request.url ?? '';
        const body: unknown = text === '' ? undefined : JSON.parse(text);
        // Before a migration it is asked how it is: that is not what tests of requests are about.
        if (path !== '/health')
          this.requests.push({ method: request.method ?? '', path, headers: request.headers, body });
        this.answer(path, request, response);
      });
    }).listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    server.closeAllConnections();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
  }
}

export const json = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json' });
  response.end(JSON.stringify(body));
};

export const HYPERCTL = fileURLToPath(new URL('../../cli/bin/run.js', import.meta.url));

/** The built command, as a user runs it; no configuration of the machine counts. */
export function hyperctl(
  args: readonly string[],
  env: Record<string, string> = {},
  options: Options = {},
): Promise<Result> & { kill(signal: NodeJS.Signals): boolean; pid?: number; stdout: NodeJS.ReadableStream | null } {
  return execa(process.execPath, [HYPERCTL, ...args], {
    reject: false,
    timeout: 150_000,
    extendEnv: false,
    env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', HYPER2KVM_HOME: '/nonexistent/stack', ...env },
    ...options,
  }) as never;
}
