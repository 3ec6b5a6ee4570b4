import { JobError, type Import, type ImportRequest } from '@hyper2kvm/contracts';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { InjectSections, type Sections } from '../config.js';
import type { Job } from '../database/index.js';
import { OutboxRelay } from '../outbox/index.js';
import { JobChanges } from './changes.js';
import { decideImport } from './import.js';
import { toImport } from './projection.js';
import { JobQueries } from './queries.js';
import { applyDecision, lockJob } from './store.js';
import { targetOf } from './targets.js';

/** Has the output of a job defined in libvirt, long after it ended. */
@Injectable()
export class Imports {
  constructor(
    private readonly dataSource: DataSource,
    private readonly queries: JobQueries,
    private readonly relay: OutboxRelay,
    private readonly changes: JobChanges,
    @InjectSections() private readonly config: Sections,
  ) {}

  /**
   * To the target that is named, or else the one that the job was for.
   * @throws JobError JOB_NOT_FOUND, STATE_CONFLICT, BAD_REQUEST for a target that is not configured
   */
  async ask(id: string, request: ImportRequest, by: string): Promise<Import> {
    const changed = await this.dataSource.transaction(async (manager) => {
      const job = await lockJob(manager, id);
      if (job === null) throw new JobError('JOB_NOT_FOUND', `There is no job ${id}.`);
      const happened = { event: 'request.import', by, message: `An import into libvirt is asked for by ${by}.` };
      return applyDecision(manager, job, { ...this.#decide(job, request), events: [happened] });
    });
    this.relay.kick();
    this.changes.changed(id);
    if (changed.libvirtImport === null) throw new Error(`${id} has no import`);
    return toImport(changed.libvirtImport, changed.importAttempt, await this.queries.progress(changed));
  }

  #decide(job: Job, request: ImportRequest): NonNullable<ReturnType<typeof decideImport>> {
    const name = request.target ?? job.options.target;
    const pool = targetOf(this.config.targets, name, 'target')?.pool;
    const decided = decideImport(job, { target: name, pool, start: request.start }, new Date());
    if (decided === undefined)
      throw new JobError('STATE_CONFLICT', `There is no output to import: ${job.id} is ${job.status}.`);
    return decided;
  }
}
