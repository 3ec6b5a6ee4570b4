import {
  JobError,
  type Worker,
  type WorkerHeartbeat,
  type WorkerList,
  type WorkerPatch,
  type WorkerStatus,
} from '@hyper2kvm/contracts';
import { Bus, setDuty, type Duty } from '@hyper2kvm/runtime';
import { Injectable } from '@nestjs/common';
import { gigabytes } from '../jobs/projection.js';
import { isWorker, readDepths, waitingFor, type Depths } from './queues.js';

/** A worker that can be reached has told by then that it obeys. */
const OBEY_MS = 1000;

/**
 * Running exporters and converters, as their heartbeats tell, and what may be changed of them.
 *
 * An id is unique within its service. Where an exporter and a converter were given the same one, what is asked is asked of
 * both, and the exporter is shown.
 */
@Injectable()
export class Workers {
  constructor(private readonly bus: Bus) {}

  async list(): Promise<WorkerList> {
    const [workers, depths] = await Promise.all([this.#running(), readDepths(this.bus)]);
    return { workers: workers.map((worker) => shown(worker, depths)) };
  }

  /** @throws JobError NOT_FOUND where no worker of this name runs */
  async get(id: string): Promise<Worker> {
    return this.#shown(await this.#find(id));
  }

  /**
   * Has a worker take nothing new, or take again. It is told by a mark that outlives it, so a paused worker stays paused when
   * it is started anew.
   * @returns the worker as it tells of itself then; one that is slow to, as it will
   * @throws JobError NOT_FOUND
   */
  async tell(id: string, duty: Duty): Promise<Worker> {
    const found = await this.#find(id);
    for (const { service } of found) await setDuty(this.bus, service, id, duty);
    return this.#shown(await this.#obeyed(found, duty));
  }

  /** @throws JobError NOT_FOUND where no exporter of this name runs */
  async patch(id: string, { bandwidth_bytes_per_second: limit }: WorkerPatch): Promise<Worker> {
    const found = await this.#find(id, 'exporter');
    await this.bus.setBandwidth('worker', id, limit);
    return this.#shown(
      found.map(({ bandwidth_bytes_per_second: _before, ...worker }) =>
        limit === null ? worker : { ...worker, bandwidth_bytes_per_second: limit },
      ),
    );
  }

  async #obeyed(told: readonly WorkerHeartbeat[], duty: Duty): Promise<WorkerHeartbeat[]> {
    const limit = performance.now() + OBEY_MS;
    while (performance.now() < limit) {
      const now = await this.#running();
      const found = told.flatMap((one) => now.filter((beat) => isSame(beat, one) && dutyOf(beat) === duty));
      if (found.length === told.length) return found;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    return told.map((worker) => obeying(worker, duty));
  }

  async #running(): Promise<WorkerHeartbeat[]> {
    const workers = (await this.bus.workers()).filter(isWorker);
    return workers.toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
  }

  async #find(id: string, service?: string): Promise<WorkerHeartbeat[]> {
    const workers = (await this.#running()).filter((one) => service === undefined || one.service === service);
    const found = workers.filter((one) => one.worker_id === id);
    if (found.length > 0) return found;
    const names = workers.map((one) => one.worker_id).join(', ');
    throw new JobError(
      'NOT_FOUND',
      `No ${service ?? 'worker'} ${id} is running; ${names === '' ? 'there is none' : `there are: ${names}`}.`,
    );
  }

  async #shown([worker]: readonly WorkerHeartbeat[]): Promise<Worker> {
    if (worker === undefined) throw new Error('no worker was found');
    return shown(worker, await readDepths(this.bus));
  }
}

const isSame = (one: WorkerHeartbeat, other: WorkerHeartbeat): boolean =>
  one.service === other.service && one.worker_id === other.worker_id;

const dutyOf = ({ draining, paused }: WorkerHeartbeat): Duty =>
  draining === true ? 'draining' : paused ? 'paused' : 'running';

/** Exporters first, as a VM meets them. */
const placeOf = ({ service, worker_id }: WorkerHeartbeat): string => `${service === 'exporter' ? 0 : 1} ${worker_id}`;

function obeying({ draining: _before, ...worker }: WorkerHeartbeat, duty: Duty): WorkerHeartbeat {
  return { ...worker, paused: duty !== 'running', ...(duty === 'draining' ? { draining: true } : {}) };
}

function statusOf(worker: WorkerHeartbeat): WorkerStatus {
  const duty = dutyOf(worker);
  return duty === 'draining' && worker.active_jobs.length === 0 ? 'drained' : duty;
}

/** A heartbeat in the shape of the seed's `status`. */
const shown = (beat: WorkerHeartbeat, depths: Depths): Worker => ({
  ...beat,
  status: statusOf(beat),
  uptime_hours: Math.round((Date.now() - Date.parse(beat.started_at)) / 360_000) / 10,
  queue_depth: waitingFor(beat, depths),
  active_conversions: beat.service === 'converter' ? beat.active_jobs.length : 0,
  disk_space_gb: beat.disk_free_bytes === null ? null : gigabytes(beat.disk_free_bytes),
});
