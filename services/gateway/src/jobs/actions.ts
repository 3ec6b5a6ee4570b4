import {
  JobError,
  JobOptions,
  type ConversionChanges,
  type JobDetail,
  type JobPatch,
  type RetryRequest,
} from '@hyper2kvm/contracts';
import { Sealer } from '@hyper2kvm/runtime';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { InjectSections, type Sections } from '../config.js';
import type { Job } from '../database/index.js';
import { OutboxRelay } from '../outbox/index.js';
import { Releaser } from '../release/index.js';
import { storedOptions } from './asked-source.js';
import { decideBandwidth, decideCancel, decideRetry } from './asked.js';
import { JobChanges } from './changes.js';
import type { Decision } from './decision.js';
import { JobQueries } from './queries.js';
import { applyDecision, dropWaiting, lockJob, oneJobPerVm } from './store.js';
import { assertTarget } from './targets.js';

/** What a user may ask of a job that exists. */
@Injectable()
export class JobActions {
  constructor(
    private readonly dataSource: DataSource,
    private readonly queries: JobQueries,
    private readonly relay: OutboxRelay,
    private readonly releaser: Releaser,
    private readonly changes: JobChanges,
    private readonly sealer: Sealer,
    @InjectSections() private readonly config: Sections,
  ) {}

  /**
   * @param asked what shall be otherwise this time
   * @throws JobError JOB_NOT_FOUND, STATE_CONFLICT, VM_BUSY, BAD_REQUEST
   */
  async retry(id: string, asked: RetryRequest): Promise<JobDetail> {
    const row = await this.queries.row(id);
    return oneJobPerVm(this.dataSource, row, () =>
      // A clean-up that has not left is not needed any more; one that has left is waited for before the job is released.
      this.#change(id, 'retry', async (job, manager) => {
        const options = storedOptions(changedOptions(job.options, asked.options), asked.luks_keys, this.sealer);
        const targetPool = assertTarget(options, this.config.targets)?.pool ?? null;
        const withdrawn = (await dropWaiting(manager, id, ['task.cleanup'])) > 0;
        return decideRetry(Object.assign(job, { options, targetPool }), new Date(), withdrawn);
      }),
    );
  }

  /** @throws JobError JOB_NOT_FOUND, STATE_CONFLICT */
  async cancel(id: string, by: string): Promise<JobDetail> {
    return this.#change(id, 'cancel', async (job, manager) => {
      // A retry that waits for its time must not leave after the cancel.
      await dropWaiting(manager, id, ['export.requested', 'conversion.requested', 'task.cleanup']);
      return decideCancel(job, by, new Date());
    });
  }

  /** @throws JobError JOB_NOT_FOUND, STATE_CONFLICT */
  async patch(id: string, wanted: JobPatch): Promise<JobDetail> {
    const { bandwidth_bytes_per_second: limit } = wanted;
    if (limit === undefined) throw new JobError('BAD_REQUEST', 'Only the bandwidth can be changed yet.');
    return this.#change(id, 'another bandwidth', (job) => Promise.resolve(decideBandwidth(job, limit, new Date())));
  }

  async #change(
    id: string,
    name: string,
    decision: (job: Job, manager: EntityManager) => Promise<Decision | undefined>,
  ): Promise<JobDetail> {
    const changed = await this.dataSource.transaction(async (manager) => {
      const job = await lockJob(manager, id);
      if (job === null) throw new JobError('JOB_NOT_FOUND', `There is no job ${id}.`);
      const decided = await decision(job, manager);
      if (decided === undefined)
        throw new JobError('STATE_CONFLICT', `${name} is not possible: ${id} is ${job.status}.`);
      return applyDecision(manager, job, decided);
    });
    this.relay.kick();
    this.releaser.kick();
    this.changes.changed(id);
    return this.queries.describe(changed);
  }
}

/** What is left out stays as it was. */
function changedOptions(options: JobOptions, changes: ConversionChanges): JobOptions {
  const given = Object.entries(changes).filter(([, value]) => value !== undefined);
  return JobOptions.parse({ ...options, ...Object.fromEntries(given) });
}
