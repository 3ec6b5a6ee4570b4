import { JobError, type BatchDetail, type BatchPatch } from '@hyper2kvm/contracts';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { Batch } from '../database/index.js';
import { JobActions } from '../jobs/index.js';
import { Admission } from './admission.js';
import { readCounts, sumOf } from './counts.js';
import { leftOf } from './left.js';
import { BatchQueries } from './queries.js';
import { statusOf } from './state.js';

/** Jobs that a request to cancel a batch waits for. */
const AT_ONCE = 500;

/** What a user may ask of a batch that exists. */
@Injectable()
export class BatchActions {
  constructor(
    private readonly dataSource: DataSource,
    private readonly queries: BatchQueries,
    private readonly jobs: JobActions,
    private readonly admission: Admission,
  ) {}

  /**
   * What runs is cancelled before the answer, and of what waits as much as can be in a moment. The rest follows, whatever becomes
   * of this process: from now on nothing is let in.
   * @throws JobError BATCH_NOT_FOUND, STATE_CONFLICT
   */
  async cancel(id: string, by: string): Promise<BatchDetail> {
    await this.#change(id, 'cancel', (batch, now) =>
      batch.cancelledAt === null ? { cancelledAt: now, cancelledBy: by } : {},
    );
    const { manager } = this.dataSource;
    await this.jobs.cancelMany(await leftOf(manager, id, AT_ONCE), by);
    return this.#show(id);
  }

  /** @throws JobError BATCH_NOT_FOUND, STATE_CONFLICT */
  async resume(id: string): Promise<BatchDetail> {
    await this.#change(id, 'resume', async (batch, _now, manager) => {
      if (batch.stoppedAt === null) return undefined;
      const { failed } = sumOf((await readCounts(manager, [id])).get(id) ?? new Map()).totals;
      return { stoppedAt: null, failuresForgiven: failed };
    });
    return this.#show(id);
  }

  /** @throws JobError BATCH_NOT_FOUND, STATE_CONFLICT */
  async patch(id: string, wanted: BatchPatch, by: string): Promise<BatchDetail> {
    const { max_parallel: maxParallel, stop_after_failures: stopAfterFailures, priority } = wanted;
    await this.#change(id, 'a change', () => ({
      ...(maxParallel === undefined ? {} : { maxParallel }),
      ...(stopAfterFailures === undefined ? {} : { stopAfterFailures }),
    }));
    if (priority !== undefined) await this.jobs.reprioritise(await leftOf(this.dataSource.manager, id), priority, by);
    return this.#show(id);
  }

  /** Of a batch that is not through. @param change undefined where its state does not allow it */
  async #change(
    id: string,
    what: string,
    change: (
      batch: Batch,
      now: Date,
      manager: EntityManager,
    ) => Partial<Batch> | undefined | Promise<Partial<Batch> | undefined>,
  ): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      const batch = await manager.findOne(Batch, { where: { id }, lock: { mode: 'for_no_key_update' } });
      if (batch === null) throw new JobError('BATCH_NOT_FOUND', `There is no batch ${id}.`);
      const now = new Date();
      const patch = batch.completedAt === null ? await change(batch, now, manager) : undefined;
      if (patch === undefined)
        throw new JobError('STATE_CONFLICT', `${what} is not possible: ${id} is ${statusOf(batch)}.`);
      await manager.update(Batch, { id }, { ...patch, version: batch.version + 1, updatedAt: now });
    });
    this.admission.kick();
  }

  #show(id: string): Promise<BatchDetail> {
    this.admission.kick();
    return this.queries.detail(id);
  }
}
