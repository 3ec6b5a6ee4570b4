import type { SseEvent } from '@hyper2kvm/contracts';
import type { ServerResponse } from 'node:http';
import { openStreams } from '../system/metrics-http.js';

const HEARTBEAT_MS = 15_000;

/** Server-sent events to one client. `signal` aborts when the client is gone. */
export class EventStream {
  readonly #closed = new AbortController();
  readonly #heartbeat: NodeJS.Timeout;

  constructor(private readonly response: ServerResponse) {
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      connection: 'keep-alive',
      // nginx would hold events back otherwise.
      'x-accel-buffering': 'no',
    });
    response.flushHeaders();
    response.on('close', () => this.#stop());
    response.on('error', () => this.#stop());
    openStreams.inc();
    this.#closed.signal.addEventListener('abort', () => openStreams.dec(), { once: true });
    this.#heartbeat = setInterval(() => response.write(': still here\n\n'), HEARTBEAT_MS);
  }

  get signal(): AbortSignal {
    return this.#closed.signal;
  }

  send(event: SseEvent, data: unknown, id?: string): void {
    if (this.signal.aborted) return;
    const head = id === undefined ? '' : `id: ${id}\n`;
    this.response.write(`${head}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  end(): void {
    this.#stop();
    this.response.end();
  }

  #stop(): void {
    clearInterval(this.#heartbeat);
    this.#closed.abort();
  }
}
