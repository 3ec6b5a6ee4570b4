import {
  BytesPerSecond,
  CATALOGUE,
  cleanupRequested,
  conversionRequested,
  exportRequested,
  hookRequested,
  importRequested,
  verifyRequested,
  type CommandDefinition,
  type CommandFence,
  type EventDefinition,
} from '@hyper2kvm/contracts';
import { Bus, CommandQueue, context, contextFrom, LOGGER, traceparent, type Logger } from '@hyper2kvm/runtime';
import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Backoff } from '../system/backoff.js';
import { Loop } from '../system/loop.js';
import { countTold } from '../system/metrics-told.js';
import { nextRows, type WaitingRow } from './rows.js';
import { RelayTraces } from './trace.js';

/** Rows of one pass: one transaction, which holds their jobs' order. */
const BATCH = 200;
/** Delayed rows and those of other gateways are found within this time; own commits kick. */
const TICK_MS = 500;
const COMMANDS: readonly CommandDefinition[] = [
  exportRequested,
  conversionRequested,
  cleanupRequested,
  verifyRequested,
  importRequested,
  hookRequested,
];

const Limit = BytesPerSecond.nullable();

/** Carries the outbox to the bus: each job's rows in order, at least once, recognisable by the row's id. */
@Injectable()
export class OutboxRelay implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #loop: Loop;
  /** Jobs of which the bus refused a row, each with its own pause: one bad row holds up its own job alone. */
  readonly #refused = new Backoff({ firstMs: 500, maxMs: 30_000 });
  readonly #traces = new RelayTraces();

  constructor(
    private readonly dataSource: DataSource,
    private readonly bus: Bus,
    private readonly queue: CommandQueue,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.#loop = new Loop({
      tickMs: TICK_MS,
      pass: async () => this.bus.status() === 'connected' && (await this.pass()) > 0,
      failed: (error) => this.logger.warn({ err: error }, 'the outbox cannot be read now'),
    });
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#loop.stop();
  }

  /** There is something new. */
  kick(): void {
    this.#loop.kick();
  }

  /** Publishes one batch; the number of rows that went out. */
  async pass(): Promise<number> {
    const told = await this.dataSource.transaction(async (manager) => {
      const rows = await nextRows(manager, BATCH, this.#refused.waiting());
      if (rows.length === 0) return [];
      const sent = await Promise.all(byJob(rows).map((chain) => this.#publish(chain)));
      const ids = sent.flat();
      if (ids.length > 0)
        await manager.query('UPDATE outbox SET published_at = now() WHERE id = ANY ($1::uuid[])', [ids]);
      return rows.filter(({ id }) => ids.includes(id));
    });
    countTold(told.map(({ type }) => type));
    return told.length;
  }

  /** The rows of one job, one after the other; the ids of those that the bus has. */
  async #publish(rows: readonly WaitingRow[]): Promise<string[]> {
    const sent: string[] = [];
    for (const row of rows) {
      if (!(await context.with(contextFrom(row.traceparent), () => this.#try(row)))) break;
      sent.push(row.id);
    }
    return sent;
  }

  async #try(row: WaitingRow): Promise<boolean> {
    try {
      await this.#traces.send(row, () => this.#send(row));
      this.#refused.clear(row.jobId);
      return true;
    } catch (error) {
      const pause = this.#refused.failed(row.jobId);
      this.logger.warn(
        { err: error, job_id: row.jobId, type: row.type, again_in_ms: pause },
        'a message could not be published',
      );
      return false;
    }
  }

  async #send(row: WaitingRow): Promise<void> {
    const trace = { traceparent: traceparent() };
    if (row.kind === 'fact') {
      await this.bus.publish(definitionOf(row), row.jobId, row.data, {
        eventId: row.id,
        time: row.createdAt.toISOString(),
        ...trace,
      });
      return;
    }
    if (row.kind === 'bandwidth') {
      await this.bus.setBandwidth('job', row.jobId, Limit.parse(row.data['bytes_per_second']));
      return;
    }
    const command = COMMANDS.find((one) => one.type === row.type);
    if (command === undefined) throw new Error(`${row.type} is not a command`);
    if (row.kind === 'cancel') {
      await this.queue.cancel(command, row.jobId);
      return;
    }
    const data = row.data as CommandFence & Record<string, unknown>;
    const options = { eventId: row.id, ...trace };
    await (row.kind === 'move' ? this.queue.move(command, data, options) : this.queue.send(command, data, options));
  }
}

function byJob(rows: readonly WaitingRow[]): WaitingRow[][] {
  const chains = new Map<string, WaitingRow[]>();
  for (const row of rows) {
    const chain = chains.get(row.jobId);
    if (chain === undefined) chains.set(row.jobId, [row]);
    else chain.push(row);
  }
  return [...chains.values()];
}

function definitionOf(row: WaitingRow): EventDefinition {
  const definition = CATALOGUE.get(row.type);
  if (definition === undefined) throw new Error(`${row.type} is not in the catalogue`);
  return definition;
}
