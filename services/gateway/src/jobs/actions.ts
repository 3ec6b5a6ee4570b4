import { JobError, type JobDetail } from '@hyper2kvm/contracts';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { Job } from '../database/index.js';
import { OutboxRelay } from '../outbox/index.js';
import { JobChanges } from './changes.js';
import { decideCancel, decideRetry, type Decision } from './decide.js';
import { JobQueries } from './queries.js';
import { applyDecision, lockJob, oneJobPerVm } from './store.js';

/** What a user may ask of a job that exists. */
@Injectable()
export class JobActions {
  constructor(
    private readonly dataSource: DataSource,
    private readonly queries: JobQueries,
    private readonly relay: OutboxRelay,
    private readonly changes: JobChanges,
  ) {}

  /** @throws JobError JOB_NOT_FOUND, STATE_CONFLICT, VM_BUSY */
  async retry(id: string): Promise<JobDetail> {
    const row = await this.queries.row(id);
    return oneJobPerVm(this.dataSource, row, () => this.#change(id, 'retry', (job) => decideRetry(job, new Date())));
  }

  /** @throws JobError JOB_NOT_FOUND, STATE_CONFLICT */
  async cancel(id: string, by: string): Promise<JobDetail> {
    return this.#change(id, 'cancel', (job) => decideCancel(job, by, new Date()), dropWaiting);
  }

  async #change(
    id: string,
    name: string,
    decision: (job: Job) => Decision | undefined,
    before?: (manager: EntityManager, id: string) => Promise<void>,
  ): Promise<JobDetail> {
    const changed = await this.dataSource.transaction(async (manager) => {
      const job = await lockJob(manager, id);
      if (job === null) throw new JobError('JOB_NOT_FOUND', `There is no job ${id}.`);
      const decided = decision(job);
      if (decided === undefined)
        throw new JobError('STATE_CONFLICT', `${name} is not possible: ${id} is ${job.status}.`);
      await before?.(manager, id);
      return applyDecision(manager, job, decided);
    });
    this.relay.kick();
    this.changes.changed(id);
    return this.queries.describe(changed);
  }
}

/** A retry that waits for its time must not leave after the cancel. */
async function dropWaiting(manager: EntityManager, id: string): Promise<void> {
  await manager.query("DELETE FROM outbox WHERE job_id = $1 AND kind = 'command' AND published_at IS NULL", [id]);
}
