import { JobError, type WorkerHeartbeat, type WorkerPatch } from '@hyper2kvm/contracts';
import { Bus } from '@hyper2kvm/runtime';
import { Injectable } from '@nestjs/common';

/** What may be changed of a running worker. */
@Injectable()
export class Workers {
  constructor(private readonly bus: Bus) {}

  /** @throws JobError NO_WORKER where no exporter of this name runs */
  async patch(id: string, { bandwidth_bytes_per_second: limit }: WorkerPatch): Promise<WorkerHeartbeat> {
    const exporters = (await this.bus.workers()).filter((worker) => worker.service === 'exporter');
    const worker = exporters.find((one) => one.worker_id === id);
    if (worker === undefined) {
      const names = exporters.map((one) => one.worker_id).join(', ');
      throw new JobError(
        'NO_WORKER',
        `No exporter ${id} is running; ${names === '' ? 'there is none' : `there are: ${names}`}.`,
      );
    }
    await this.bus.setBandwidth('worker', id, limit);
    const { bandwidth_bytes_per_second: _before, ...rest } = worker;
    return limit === null ? rest : { ...rest, bandwidth_bytes_per_second: limit };
  }
}
