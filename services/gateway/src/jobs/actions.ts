import type {
  JobDetail,
  JobPatch,
  Lane,
  QueueAnswer,
  QueueRequest,
  RetryAllRequest,
  RetryAllResult,
  RetryRequest,
} from '@hyper2kvm/contracts';
import { JobError } from '@hyper2kvm/contracts';
import { Sealer } from '@hyper2kvm/runtime';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { InjectSections, type Sections } from '../config.js';
import type { Job } from '../database/index.js';
import { OutboxRelay } from '../outbox/index.js';
import { Releaser } from '../release/index.js';
import { JobChanges } from './changes.js';
import { JobQueries } from './queries.js';
import { changeMany, changeOne, type Outcome, type Request } from './request.js';
import { toCancel, toConvert, toPatch, toReprioritise, toRetry, type RequestSetting } from './requests.js';

/** What a user may ask of jobs that exist. */
@Injectable()
export class JobActions {
  readonly #setting: RequestSetting;

  constructor(
    private readonly dataSource: DataSource,
    private readonly queries: JobQueries,
    private readonly relay: OutboxRelay,
    private readonly releaser: Releaser,
    private readonly changes: JobChanges,
    sealer: Sealer,
    @InjectSections() { targets, retry_policy }: Sections,
  ) {
    this.#setting = { sealer, targets, maxRetries: retry_policy.max_retries };
  }

  /**
   * @param wanted what shall be otherwise this time
   * @throws JobError JOB_NOT_FOUND, STATE_CONFLICT, VM_BUSY, BAD_REQUEST
   */
  retry(id: string, wanted: RetryRequest, by: string): Promise<JobDetail> {
    return this.#change(id, toRetry(wanted, by, this.#setting));
  }

  /** @throws JobError JOB_NOT_FOUND, STATE_CONFLICT */
  cancel(id: string, by: string): Promise<JobDetail> {
    return this.#change(id, toCancel(by));
  }

  /** @throws JobError JOB_NOT_FOUND, STATE_CONFLICT */
  patch(id: string, wanted: JobPatch, by: string): Promise<JobDetail> {
    return this.#change(id, toPatch(wanted, by, this.#setting));
  }

  /** The conversion of a job that rests. @throws JobError JOB_NOT_FOUND, STATE_CONFLICT, BAD_REQUEST */
  async convert(id: string, wanted: QueueRequest, by: string): Promise<QueueAnswer> {
    const { queue_position, estimated_start } = await this.#change(id, toConvert(wanted, by, this.#setting));
    return { status: 'ok', message: 'Job queued', queue_position, estimated_start };
  }

  /** Of all failed jobs that meet the conditions. @throws JobError BATCH_NOT_FOUND */
  async retryMany(wanted: RetryAllRequest, by: string): Promise<RetryAllResult> {
    const { batch, options } = wanted;
    if (batch !== undefined && !(await this.queries.isBatch(batch)))
      throw new JobError('BATCH_NOT_FOUND', `There is no batch ${batch}.`);
    const ids = await this.queries.failed(wanted);
    const { changed, refused } = await this.#changeMany(ids, toRetry({ options }, by, this.#setting));
    return { retried: changed.map(({ id }) => id), refused };
  }

  /** Each by itself; those that cannot be cancelled are told. */
  cancelMany(ids: readonly string[], by: string): Promise<Outcome> {
    return this.#changeMany(ids, toCancel(by));
  }

  /** Each by itself; those whose priority means nothing any more are told. */
  reprioritise(ids: readonly string[], lane: Lane, by: string): Promise<Outcome> {
    return this.#changeMany(ids, toReprioritise(lane, by, this.#setting));
  }

  async #change(id: string, request: Request): Promise<JobDetail> {
    const changed = await changeOne(this.dataSource, id, request);
    this.#tell([changed]);
    return this.queries.describe(changed);
  }

  async #changeMany(ids: readonly string[], request: Request): Promise<Outcome> {
    const outcome = await changeMany(this.dataSource, ids, request);
    this.#tell(outcome.changed);
    return outcome;
  }

  #tell(jobs: readonly Job[]): void {
    this.relay.kick();
    this.releaser.kick();
    for (const { id } of jobs) this.changes.changed(id);
  }
}
