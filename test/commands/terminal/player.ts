import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import type { Health } from '@hyper2kvm/contracts';
import { onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { json, StandIn } from '../../integration/cli-standin.js';

/** What the gateway said at a moment: the answer to POST /convert, or an event of the job's stream. */
const Line = z.strictObject({
  /** Seconds since the beginning; the data bear the same times. */
  at: z.number(),
  says: z.enum(['accepted', 'job', 'progress', 'log', 'end']),
  data: z.record(z.string(), z.unknown()),
  /** The stream rests after this line until the test goes on. */
  stop: z.string().optional(),
});
type Line = z.infer<typeof Line>;

const HEALTHY: Health = {
  status: 'healthy',
  uptime_seconds: 3_600,
  vsphere_connection: 'ok',
  python_daemon_reachable: true,
  converter_reachable: true,
  exporter_reachable: true,
  database: 'ok',
  nats: 'ok',
  disk_space_available_gb: 100,
  active_jobs: 1,
};

/**
 * A recorded job, played by a stand-in for the gateway. Nothing goes by the clock: the test lets the stream run from stop to stop,
 * and hyperctl reckons with the times in the messages, so that screens are the same each time.
 */
export class Player {
  /** Of the stream, up to where it may run. */
  readonly #released: Line[] = [];
  #rest: Line[];
  readonly #accepted: Line;
  readonly #listeners = new Set<ServerResponse>();
  readonly #gateway: StandIn;

  private constructor(lines: readonly Line[]) {
    const [accepted, ...rest] = lines;
    if (accepted?.says !== 'accepted') throw new Error('a recording begins with the answer to POST /convert');
    this.#accepted = accepted;
    this.#rest = rest;
    this.#gateway = new StandIn((path, request, response) => {
      if (request.method === 'POST') return json(response, 202, this.#accepted.data);
      if (path === '/health') return json(response, 200, HEALTHY);
      if (!path.endsWith('/events')) return json(response, 200, this.#job);
      this.#stream(response, Number(request.headers['last-event-id'] ?? -1));
    });
  }

  static async open(recording: string): Promise<Player> {
    const text = await readFile(new URL(`recordings/${recording}.jsonl`, import.meta.url), 'utf8');
    const player = new Player(
      text
        .trim()
        .split('\n')
        .map((line) => Line.parse(JSON.parse(line))),
    );
    await player.#gateway.start();
    onTestFinished(() => player.#gateway.stop());
    return player;
  }

  get url(): string {
    return this.#gateway.url;
  }

  /** Methods and paths that were asked for. */
  get calls(): string[] {
    return this.#gateway.requests.map(({ method, path }) => `${method} ${path}`);
  }

  /** Lets the stream run up to a stop, with it, once somebody listens. */
  async play(stop: string): Promise<void> {
    await vi.waitUntil(() => this.#listeners.size > 0, { timeout: 60_000 });
    const end = this.#rest.findIndex((line) => line.stop === stop);
    if (end === -1) throw new Error(`there is no stop ${stop} any more`);
    for (const line of this.#rest.splice(0, end + 1)) {
      this.#released.push(line);
      for (const response of this.#listeners) this.#send(response, line);
    }
  }

  /** The gateway goes away, and takes its connections with it; `back` brings it back. */
  async goAway(): Promise<{ back: () => Promise<unknown> }> {
    await this.#gateway.stop();
    return { back: () => this.#gateway.start() };
  }

  get #job(): Line['data'] | undefined {
    return this.#released.findLast(({ says }) => says === 'job' || says === 'end')?.data;
  }

  /** As the gateway does: the job as it is, its newest progress, the log from where the client left off. */
  #stream(response: ServerResponse, lastId: number): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    this.#listeners.add(response);
    response.on('close', () => this.#listeners.delete(response));
    for (const says of ['job', 'progress']) {
      const newest = this.#released.findLast((line) => line.says === says);
      if (newest !== undefined) this.#send(response, newest);
    }
    for (const line of this.#released) if (this.#idOf(line) > lastId) this.#send(response, line);
  }

  #send(response: ServerResponse, line: Line): void {
    const id = line.says === 'log' ? `id: ${this.#idOf(line)}\n` : '';
    response.write(`${id}event: ${line.says}\ndata: ${JSON.stringify(line.data)}\n\n`);
    if (line.says === 'end') response.end();
  }

  #idOf(line: Line): number {
    return line.says === 'log' ? this.#released.indexOf(line) : -1;
  }
}
