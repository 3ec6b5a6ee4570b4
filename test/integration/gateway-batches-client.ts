/** A caller of the batches of the gateway's API, and what is told of them on the bus, for tests. */
import {
  BatchAccepted,
  batchCompleted,
  BatchDetail,
  type BatchCompleted,
  type BatchStatus,
  type EventData,
  type EventDefinition,
  type JobDetail,
  JobList,
} from '@hyper2kvm/contracts';
import { createLogger, openBus } from '@hyper2kvm/runtime';
import { expect } from 'vitest';
import { Client } from './gateway-client.js';
import { until } from './gateway-stack.js';

/** Room for everything: what holds jobs back is their batch. */
export const ROOMY = {
  vsphere: { server: 'vc.example.com', username: 'automation@vsphere.local', password: 'a-password' },
  gateway: { export_limits: { disks_per_host: 100, disks_per_vcenter: 100 } },
};

export class BatchClient extends Client {
  async create(body: object): Promise<BatchAccepted> {
    const response = await this.send('POST', '/api/v1/batches', body);
    const answer: unknown = await response.json();
    expect(response.status, JSON.stringify(answer)).toBe(202);
    return BatchAccepted.parse(answer);
  }

  async batch(id: string): Promise<BatchDetail> {
    return BatchDetail.parse(await (await this.send('GET', `/api/v1/batches/${id}`)).json());
  }

  whenBatch(id: string, wanted: (batch: BatchDetail) => boolean): Promise<BatchDetail> {
    return until(async () => this.batch(id), wanted, 60_000);
  }

  /** Once it is so; of completed and cancelled ones, once every job is through. */
  batchIs(id: string, status: BatchStatus): Promise<BatchDetail> {
    const ends = status === 'completed' || status === 'cancelled';
    return this.whenBatch(id, (batch) => batch.status === status && (!ends || batch.completed_at !== null));
  }

  /** Something that is answered with the batch. */
  async ask(method: string, path: string, body?: unknown): Promise<BatchDetail> {
    const response = await this.send(method, `/api/v1/batches/${path}`, body);
    const answer: unknown = await response.json();
    expect(response.status, JSON.stringify(answer)).toBeLessThan(300);
    return BatchDetail.parse(answer);
  }

  /** The job of a VM. */
  async jobOf(batch: string, vm: string): Promise<JobDetail> {
    const { jobs } = JobList.parse(
      await (await this.send('GET', `/api/v1/jobs?batch=${batch}&vm=${encodeURIComponent(vm)}`)).json(),
    );
    return this.job(jobs[0]?.job_id ?? '');
  }
}

/** Every `batch.completed` of a batch. */
export const completions = async (servers: string[], batchId: string): Promise<BatchCompleted[]> =>
  factsOf(servers, batchCompleted, batchId);

/** Every fact of this kind about a batch or a job. */
export async function factsOf<D extends EventDefinition>(
  servers: string[],
  event: D,
  id: string,
): Promise<EventData<D>[]> {
  const logger = createLogger('reader', 'error');
  const { bus, close } = await openBus({
    nats: { servers, replicas: 1 },
    service: 'reader',
    workerId: 'reader',
    logger,
  });
  try {
    return await bus.history(event, id, 100);
  } finally {
    await close();
  }
}
