import { JobError, type Worker, type WorkerHeartbeat, type WorkerPatch } from '@hyper2kvm/contracts';
import { Bus } from '@hyper2kvm/runtime';
import { Injectable } from '@nestjs/common';
import { gigabytes } from '../jobs/projection.js';

/** What may be changed of a running worker. */
@Injectable()
export class Workers {
  constructor(private readonly bus: Bus) {}

  /** @throws JobError NOT_FOUND where no exporter of this name runs */
  async patch(id: string, { bandwidth_bytes_per_second: limit }: WorkerPatch): Promise<Worker> {
    const exporters = (await this.bus.workers()).filter((worker) => worker.service === 'exporter');
    const worker = exporters.find((one) => one.worker_id === id);
    if (worker === undefined) {
      const names = exporters.map((one) => one.worker_id).join(', ');
      throw new JobError(
        'NOT_FOUND',
        `No exporter ${id} is running; ${names === '' ? 'there is none' : `there are: ${names}`}.`,
      );
    }
    await this.bus.setBandwidth('worker', id, limit);
    const { bandwidth_bytes_per_second: _before, ...rest } = worker;
    return shown(limit === null ? rest : { ...rest, bandwidth_bytes_per_second: limit });
  }
}

const shown = (beat: WorkerHeartbeat): Worker => ({
  ...beat,
  status: beat.paused ? 'paused' : 'running',
  uptime_hours: Math.round((Date.now() - Date.parse(beat.started_at)) / 360_000) / 10,
  queue_depth: 0,
  active_conversions: beat.service === 'converter' ? beat.active_jobs.length : 0,
  disk_space_gb: beat.disk_free_bytes === null ? null : gigabytes(beat.disk_free_bytes),
});
