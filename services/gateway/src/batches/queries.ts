import {
  JobError,
  type BatchDetail,
  type BatchList,
  type BatchListQuery,
  type BatchSummary,
} from '@hyper2kvm/contracts';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Batch } from '../database/index.js';
import { decodeCursor, encodeCursor } from '../jobs/cursor.js';
import { NONE, percentOf, readCounts, sumOf, type WaveCounts } from './counts.js';
import { remainingSeconds } from './eta.js';
import { timeReasons } from './reason.js';
import { readSizes } from './sizes.js';
import { hookWait, readTickets } from './tickets.js';
import { reasonOf, STATUS_SQL, statusOf, underWay, waveStatus } from './state.js';

/** What the API tells of batches: all of it follows from their jobs. */
@Injectable()
export class BatchQueries {
  constructor(private readonly dataSource: DataSource) {}

  /** @throws JobError BATCH_NOT_FOUND */
  async row(id: string): Promise<Batch> {
    const batch = await this.dataSource.manager.findOneBy(Batch, { id });
    if (batch === null) throw new JobError('BATCH_NOT_FOUND', `There is no batch ${id}.`);
    return batch;
  }

  async list(query: BatchListQuery): Promise<BatchList> {
    const select = this.dataSource.manager
      .createQueryBuilder(Batch, 'batch')
      .orderBy('batch.created_at', 'DESC')
      .addOrderBy('batch.id', 'DESC')
      // One more tells whether there is a next page.
      .limit(query.limit + 1);
    if (query.status !== undefined) select.andWhere(`${STATUS_SQL} = :status`, { status: query.status });
    if (query.cursor !== undefined) {
      const { createdAt, id } = decodeCursor(query.cursor);
      select.andWhere('(batch.created_at, batch.id) < (:createdAt::timestamptz, :id)', { createdAt, id });
    }
    const rows = await select.getMany();
    const page = rows.slice(0, query.limit);
    const counts = await this.#counts(page.map(({ id }) => id));
    const last = page.at(-1);
    return {
      batches: page.map((batch) => summaryOf(batch, counts.get(batch.id) ?? new Map())),
      next_cursor: rows.length > query.limit && last !== undefined ? encodeCursor(last) : null,
    };
  }

  /** @throws JobError BATCH_NOT_FOUND */
  async summary(id: string): Promise<BatchSummary> {
    const batch = await this.row(id);
    return summaryOf(batch, (await this.#counts([id])).get(id) ?? new Map());
  }

  /** @throws JobError BATCH_NOT_FOUND */
  async detail(id: string): Promise<BatchDetail> {
    const batch = await this.row(id);
    const { manager } = this.dataSource;
    const [counts, sizes, tickets] = await Promise.all([
      this.#counts([id]),
      readSizes(manager, id),
      readTickets(manager, id, 0),
    ]);
    const waves: WaveCounts = counts.get(id) ?? new Map();
    const states = batch.waves.map((wave) => ({
      wave,
      own: waves.get(wave.name) ?? NONE,
      ...waveStatus(wave, waves, hookWait(wave.name, tickets)),
    }));
    const idle = states.filter(({ status, own }) => status === 'running' && own.waiting > 0 && underWay(own) === 0);
    const times =
      statusOf(batch) === 'running'
        ? await timeReasons(
            manager,
            id,
            idle.map(({ wave }) => wave.name),
          )
        : new Map<string, string>();
    return {
      ...summaryOf(batch, waves),
      max_parallel: batch.maxParallel,
      stop_after_failures: batch.stopAfterFailures,
      waves: states.map(({ wave, own, status, reason }) => ({
        name: wave.name,
        after: [...wave.after],
        status,
        reason: reason ?? times.get(wave.name) ?? null,
        totals: own.totals,
      })),
      bytes_downloaded: sizes.downloaded,
      total_bytes: sizes.capacity,
      eta_seconds: await remainingSeconds(this.dataSource, batch, sumOf(waves), sizes),
    };
  }

  #counts(ids: readonly string[]): Promise<Map<string, WaveCounts>> {
    return readCounts(this.dataSource.manager, ids);
  }
}

export function summaryOf(batch: Batch, waves: WaveCounts): BatchSummary {
  const all = sumOf(waves);
  return {
    batch_id: batch.id,
    name: batch.name,
    status: statusOf(batch),
    reason: reasonOf(batch, waves),
    totals: all.totals,
    percent_complete: percentOf(all),
    requested_by: batch.requestedBy,
    created_at: batch.createdAt.toISOString(),
    completed_at: batch.completedAt?.toISOString() ?? null,
  };
}
