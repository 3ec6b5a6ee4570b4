import { JobError, type Attempt, type AttemptList, type Timeline } from '@hyper2kvm/contracts';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AttemptRow, Job, JobEventRow } from '../database/index.js';

/** What happened to a job. */
@Injectable()
export class Histories {
  constructor(private readonly dataSource: DataSource) {}

  /** @throws JobError JOB_NOT_FOUND */
  async attempts(jobId: string): Promise<AttemptList> {
    await this.#assertJob(jobId);
    const rows = await this.dataSource.manager.find(AttemptRow, { where: { jobId }, order: { askedAt: 'ASC' } });
    return { job_id: jobId, attempts: rows.map((row) => toAttempt(row)) };
  }

  /** @throws JobError JOB_NOT_FOUND */
  async timeline(jobId: string): Promise<Timeline> {
    await this.#assertJob(jobId);
    const rows = await this.dataSource.manager.find(JobEventRow, { where: { jobId }, order: { seq: 'ASC' } });
    const events = rows.map(({ time, recordedAt, event, attempt, by, message }) => ({
      time: time.toISOString(),
      recorded_at: recordedAt.toISOString(),
      event,
      attempt,
      by,
      message,
    }));
    return { job_id: jobId, events };
  }

  async #assertJob(id: string): Promise<void> {
    if (!(await this.dataSource.manager.existsBy(Job, { id })))
      throw new JobError('JOB_NOT_FOUND', `There is no job ${id}.`);
  }
}

/** What one fact did not tell follows from the others: the start from end and duration, or the duration from both. */
function toAttempt(row: AttemptRow): Attempt {
  const { endedAt, durationSeconds } = row;
  const reckoned =
    endedAt === null || durationSeconds === null ? null : new Date(endedAt.getTime() - durationSeconds * 1000);
  const startedAt = row.startedAt ?? reckoned;
  const seconds = startedAt === null || endedAt === null ? null : (endedAt.getTime() - startedAt.getTime()) / 1000;
  return {
    activity: row.activity,
    attempt: row.attempt,
    worker: row.worker,
    started_at: startedAt?.toISOString() ?? null,
    ended_at: endedAt?.toISOString() ?? null,
    outcome: row.outcome,
    duration_seconds: durationSeconds ?? (seconds === null ? null : Math.max(0, seconds)),
    failure: row.failure,
    error_file: row.errorFile,
  };
}
