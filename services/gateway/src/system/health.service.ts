import {
  isEnded,
  JOB_STATUSES,
  type Health,
  type Ready,
  type Status,
  type WorkerHeartbeat,
} from '@hyper2kvm/contracts';
import { Bus, CommandQueue, inTime, natsCheck, readiness, type ReadyCheck, VERSION } from '@hyper2kvm/runtime';
import { conversionRequested, exportRequested } from '@hyper2kvm/contracts';
import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { gigabytes } from '../jobs/projection.js';
import { JobQueries } from '../jobs/queries.js';
import { VcenterWatch } from './vcenter-watch.js';

/** A probe waits no longer than this for the database or the bus. */
const LIMIT_MS = 2000;
const ACTIVE = JOB_STATUSES.filter((status) => !isEnded(status));

/** What is true of the product now. */
@Injectable()
export class HealthService implements BeforeApplicationShutdown {
  readonly #started = performance.now();
  #stopping = false;

  constructor(
    private readonly bus: Bus,
    private readonly queue: CommandQueue,
    private readonly queries: JobQueries,
    private readonly vcenter: VcenterWatch,
    private readonly dataSource: DataSource,
  ) {}

  beforeApplicationShutdown(): void {
    this.#stopping = true;
  }

  get #uptime(): number {
    return Math.floor((performance.now() - this.#started) / 1000);
  }

  async health(): Promise<Health> {
    const [counts, nats, workers, vsphere] = await Promise.all([
      within(this.queries.counts()),
      this.bus.ping(LIMIT_MS),
      within(this.bus.workers()),
      within(this.vcenter.state()),
    ]);
    const [exporter, converter] = [has(workers, 'exporter'), has(workers, 'converter')];
    const working = counts !== undefined && nats;
    return {
      status: working ? (exporter && converter ? 'healthy' : 'degraded') : 'unhealthy',
      uptime_seconds: this.#uptime,
      vsphere_connection: vsphere ?? 'unknown',
      python_daemon_reachable: converter,
      converter_reachable: converter,
      exporter_reachable: exporter,
      database: counts === undefined ? 'failed' : 'ok',
      nats: nats ? 'ok' : 'failed',
      disk_space_available_gb: leastSpace(workers),
      active_jobs: ACTIVE.reduce((sum, status) => sum + (counts?.[status] ?? 0), 0),
    };
  }

  /** Whether this gateway can do its work; workers are not its own. */
  ready(): Promise<Ready> {
    const checks: ReadyCheck[] = [
      { name: 'database', why: () => this.#whyNoDatabase() },
      natsCheck(this.bus),
      { name: 'duty', why: async () => (this.#stopping ? 'it is being stopped' : undefined) },
    ];
    return readiness('gateway', checks);
  }

  /** It answers, and its schema is this version's or newer: a database may be put back from a backup. */
  async #whyNoDatabase(): Promise<string | undefined> {
    const migration = this.dataSource.migrations.at(-1);
    const newest = migration?.name ?? migration?.constructor.name ?? '';
    const rows = await this.dataSource.query<unknown[]>('SELECT FROM migrations WHERE name = $1', [newest]);
    return rows.length > 0
      ? undefined
      : `its schema lacks ${newest}: start the gateway again, which brings it up to date`;
  }

  async status(): Promise<Status> {
    const [jobs, held, exports, conversions, workers] = await Promise.all([
      this.queries.counts(),
      this.queries.held(),
      this.queue.depth(exportRequested),
      this.queue.depth(conversionRequested),
      this.bus.workers(),
    ]);
    return {
      service: 'gateway',
      version: VERSION,
      uptime_seconds: this.#uptime,
      jobs: { ...Object.fromEntries(JOB_STATUSES.map((status) => [status, 0])), ...jobs },
      queue_depth: {
        high: held.high + exports.high + conversions.high,
        normal: held.normal + exports.normal + conversions.normal,
        low: held.low + exports.low + conversions.low,
      },
      workers,
    };
  }
}

const has = (workers: readonly WorkerHeartbeat[] | undefined, service: string): boolean =>
  workers?.some((worker) => worker.service === service) ?? false;

/** Of the workers' folders, the fullest: there a job fails first. */
function leastSpace(workers: readonly WorkerHeartbeat[] | undefined): number | null {
  const free = (workers ?? []).map((worker) => worker.disk_free_bytes).filter((count) => count !== null);
  return free.length === 0 ? null : gigabytes(Math.min(...free));
}

const within = async <T>(question: Promise<T>): Promise<T | undefined> =>
  inTime(question, LIMIT_MS).catch(() => undefined);
