import { JobError, type Failure, type Machine, type Source } from '@hyper2kvm/contracts';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { InjectSections, type Sections } from '../config.js';
import { storable, type Job, type JobRow } from '../database/index.js';
import { AskedSources } from '../jobs/asked-source.js';
import { JobChanges } from '../jobs/changes.js';
import type { Decision } from '../jobs/decision.js';
import { described } from '../jobs/new-job.js';
import { decideRefuse } from '../jobs/refuse.js';
import { classify } from '../jobs/retry-classes.js';
import { applyDecision, lockJob, oneJobPerVm } from '../jobs/store.js';
import { refusalOf, TargetCheck, targetNotes, type TargetAnswer } from '../jobs/target-check.js';
import { OutboxRelay } from '../outbox/index.js';
import { VcenterSources } from '../vcenters/index.js';
import { Logins } from './logins.js';

/** What a look found. */
interface Found {
  readonly source: Source;
  readonly machine: Machine;
  readonly answer: TargetAnswer | undefined;
}

/** One look at the VM of a waiting job: by an exporter with the login as it is now, and by a converter at its target. */
@Injectable()
export class Looks {
  constructor(
    private readonly dataSource: DataSource,
    private readonly asked: AskedSources,
    private readonly sources: VcenterSources,
    private readonly logins: Logins,
    private readonly target: TargetCheck,
    private readonly relay: OutboxRelay,
    private readonly changes: JobChanges,
    @InjectSections() private readonly config: Sections,
  ) {}

  /** Writes what was found, or why the job cannot start. False where nobody was there to look: then nothing is written. */
  async look(job: Job): Promise<boolean> {
    try {
      const found = await this.#find(job);
      const name = described(found.machine, { vmRef: job.vmRef, source: found.source });
      await oneJobPerVm(this.dataSource, name, () => this.#change(job.id, (now) => decideSeen(now, found, new Date())));
    } catch (error) {
      if (!(error instanceof JobError)) throw error;
      if (error.code === 'NO_WORKER') return false;
      await this.#refuse(job.id, storable(error.toFailure()));
    }
    return true;
  }

  /** @throws JobError of the connection, the vCenter or the files, the target; NO_WORKER */
  async #find(job: Job): Promise<Found> {
    const source = await this.sources.current(job);
    const machine = storable(await this.logins.use(source, () => this.asked.look(source, job.vmRef, job.connection)));
    const answer = job.options.auto_convert
      ? await this.target.ask({ machine, vmName: job.vmName, options: job.options })
      : undefined;
    const refusal = refusalOf(answer?.problems ?? []);
    if (refusal !== undefined) throw refusal;
    return { source, machine, answer };
  }

  #refuse(id: string, failure: Failure): Promise<void> {
    const { retry_policy: policy } = this.config;
    return this.#change(id, (job) =>
      decideRefuse(job, failure, { now: new Date(), policy, retryable: classify(policy) }),
    );
  }

  /** Unless the job was looked at, let out or ended meanwhile. */
  async #change(id: string, decision: (job: Job) => Decision | undefined): Promise<void> {
    const changed = await this.dataSource.transaction(async (manager: EntityManager) => {
      const job = await lockJob(manager, id);
      const waits = job?.status === 'pending' && job.releasedAt === null && job.machine === null;
      const decided = waits ? decision(job) : undefined;
      if (job === null || decided === undefined) return false;
      await applyDecision(manager, job, decided);
      return true;
    });
    if (!changed) return;
    this.relay.kick();
    this.changes.changed(id);
  }
}

/** The columns that follow from the look; a failure of an earlier one is overcome. */
function decideSeen(job: JobRow, { source, machine, answer }: Found, now: Date): Decision {
  const patch = {
    ...described(machine, { vmRef: job.vmRef, source }),
    source,
    error: null,
    failure: null,
    nextRetryAt: null,
    phaseRetries: 0,
    updatedAt: now,
  };
  const disks = machine.disks.length === 1 ? '1 disk' : `${machine.disks.length} disks`;
  return {
    patch,
    messages: answer === undefined ? [] : targetNotes({ ...job, ...patch }, answer, now),
    events: [{ event: 'job.described', message: `Its VM is ${machine.name}, with ${disks}.` }],
  };
}
