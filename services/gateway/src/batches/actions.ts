import { JobError, type BatchDetail } from '@hyper2kvm/contracts';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { JobActions } from '../jobs/index.js';
import { Admission } from './admission.js';
import { BatchQueries } from './queries.js';
import { statusOf } from './state.js';

/** Jobs that came to their end already are no reason to stop. */
const BESIDE = 8;

/** What a user may ask of a batch that exists. */
@Injectable()
export class BatchActions {
  constructor(
    private readonly dataSource: DataSource,
    private readonly queries: BatchQueries,
    private readonly jobs: JobActions,
    private readonly admission: Admission,
  ) {}

  /** @throws JobError BATCH_NOT_FOUND, STATE_CONFLICT */
  async cancel(id: string, by: string): Promise<BatchDetail> {
    const batch = await this.queries.row(id);
    if (batch.completedAt !== null) throw conflict(id, 'cancel', statusOf(batch));
    // First of all nothing more is let in.
    await this.dataSource.query(
      `UPDATE batches SET cancelled_at = coalesce(cancelled_at, now()), updated_at = now(), version = version + 1 WHERE id = $1`,
      [id],
    );
    const left = await this.dataSource.query<{ id: string }[]>(
      `SELECT id FROM jobs WHERE batch_id = $1 AND status IN ('pending', 'exporting', 'exported', 'converting')
         AND NOT (status = 'exported' AND conversion_status IS NULL) ORDER BY plan_order DESC`,
      [id],
    );
    const ids = left.map((row) => row.id);
    await Promise.all(
      Array.from({ length: BESIDE }, async () => {
        for (let next = ids.shift(); next !== undefined; next = ids.shift()) await this.#cancelOne(next, by);
      }),
    );
    this.admission.kick();
    return this.queries.detail(id);
  }

  async #cancelOne(id: string, by: string): Promise<void> {
    try {
      await this.jobs.cancel(id, by);
    } catch (error) {
      if (!(error instanceof JobError) || error.code !== 'STATE_CONFLICT') throw error;
    }
  }
}

const conflict = (id: string, wish: string, status: string): JobError =>
  new JobError('STATE_CONFLICT', `${wish} is not possible: ${id} is ${status}.`);
