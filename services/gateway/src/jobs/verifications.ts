import { JobError, type Verification } from '@hyper2kvm/contracts';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Job } from '../database/index.js';
import { OutboxRelay } from '../outbox/index.js';
import { JobChanges } from './changes.js';
import { toVerification } from './projection.js';
import { JobQueries } from './queries.js';
import { applyDecision, lockJob } from './store.js';
import { decideVerify } from './verify.js';

/** Has the files of a job read again, long after it ended. */
@Injectable()
export class Verifications {
  constructor(
    private readonly dataSource: DataSource,
    private readonly queries: JobQueries,
    private readonly relay: OutboxRelay,
    private readonly changes: JobChanges,
  ) {}

  /** @throws JobError JOB_NOT_FOUND, STATE_CONFLICT */
  async ask(id: string, by: string): Promise<Verification> {
    const changed = await this.dataSource.transaction(async (manager) => {
      const job = await lockJob(manager, id);
      if (job === null) throw new JobError('JOB_NOT_FOUND', `There is no job ${id}.`);
      const decided = decideVerify(job, new Date());
      if (decided === undefined)
        throw new JobError('STATE_CONFLICT', `There are no files to verify: ${id} is ${job.status}.`);
      const happened = { event: 'request.verify', by, message: `A look at the files is asked for by ${by}.` };
      return applyDecision(manager, job, { ...decided, events: [happened] });
    });
    this.relay.kick();
    this.changes.changed(id);
    return this.#describe(changed);
  }

  /** @throws JobError JOB_NOT_FOUND, also where nobody has asked for a verification */
  async latest(id: string): Promise<Verification> {
    return this.#describe(await this.queries.row(id));
  }

  async #describe(job: Job): Promise<Verification> {
    if (job.verification === null)
      throw new JobError('JOB_NOT_FOUND', `${job.id} was never verified: hyperctl verify --job ${job.id} does it.`);
    return toVerification(job.verification, job.verifyAttempt, await this.queries.progress(job));
  }
}
