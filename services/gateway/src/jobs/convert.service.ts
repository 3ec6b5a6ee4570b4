import type { ConvertAccepted, ConvertRequest } from '@hyper2kvm/contracts';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { InjectSections, type Sections } from '../config.js';
import type { Job } from '../database/index.js';
import { OutboxRelay } from '../outbox/index.js';
import { Releaser } from '../release/index.js';
import { parseWindow } from '../schedule/index.js';
import { AskedSources, type Asked, type Wanted } from './asked-source.js';
import { estimateSeconds } from './estimate.js';
import { insertJobs, newJob } from './new-job.js';
import { durationOrNull, gigabytes } from './projection.js';
import { assertReceivers } from './receivers.js';
import { oneJobPerVm } from './store.js';
import { refusalOf, TargetCheck, targetNotes, type TargetAnswer } from './target-check.js';
import { assertTarget } from './targets.js';

/**
 * Takes in one VM. A job that may start at once is not written before an exporter has seen the VM with this login (or the files),
 * and a converter the target. One that waits for its time is looked at when that has come.
 */
@Injectable()
export class ConvertService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly sources: AskedSources,
    private readonly target: TargetCheck,
    private readonly relay: OutboxRelay,
    private readonly releaser: Releaser,
    @InjectSections() private readonly config: Sections,
  ) {}

  /** @throws JobError of the vCenter (login, VM, network), of the files or the target, NO_WORKER, BAD_REQUEST, VM_BUSY */
  async convert(request: ConvertRequest, requestedBy: string): Promise<ConvertAccepted> {
    const pool = assertTarget(request.options, this.config.targets)?.pool;
    if (request.options.window !== undefined) parseWindow(request.options.window);
    assertReceivers(request.options);
    const now = new Date();
    const wanted = await this.#wanted(request, now);
    const answer = wanted.machine !== null && wanted.options.auto_convert ? await this.#target(wanted) : undefined;
    const job = newJob({ ...wanted, vmRef: request.vm_name, pool, requestedBy }, now);
    await oneJobPerVm(this.dataSource, job, () =>
      this.dataSource.transaction((manager) =>
        insertJobs(manager, [job], () => (answer === undefined ? [] : targetNotes(job, answer, now))),
      ),
    );
    this.relay.kick();
    this.releaser.kick();
    return {
      ...accepted(job, job.machine === null ? null : await estimateSeconds(this.dataSource, job.totalBytes)),
      concerns: [...(answer?.concerns ?? [])],
    };
  }

  /** Exports alone: the job rests in `exported` until it is asked to convert. @throws JobError as `convert` */
  export(request: ConvertRequest, requestedBy: string): Promise<ConvertAccepted> {
    return this.convert({ ...request, options: { ...request.options, auto_convert: false } }, requestedBy);
  }

  /** Files on the worker are looked at whenever the job is to start: nobody else tells that they are there. */
  async #wanted(request: ConvertRequest, now: Date): Promise<Asked | (Wanted & { readonly machine: null })> {
    const { not_before: notBefore, window } = request.options;
    const later = window !== undefined || (notBefore !== undefined && new Date(notBefore) > now);
    if (!later || request.source !== undefined) return this.sources.describe(request);
    return { ...(await this.sources.wanted(request)), machine: null };
  }

  async #target(asked: Asked): Promise<TargetAnswer> {
    const answer = await this.target.ask(asked);
    const refusal = refusalOf(answer.problems);
    if (refusal !== undefined) throw refusal;
    return answer;
  }
}

function accepted(job: Job, seconds: number | null): ConvertAccepted {
  return {
    job_id: job.id,
    status: 'started',
    vm_name: job.vmName,
    disks: (job.machine?.disks ?? []).map((disk) => ({
      name: disk.name,
      size_gb: gigabytes(disk.capacity_bytes),
      capacity_bytes: disk.capacity_bytes,
      status: 'queued',
    })),
    created_at: job.createdAt.toISOString(),
    estimated_duration: durationOrNull(seconds),
    ...(job.machine?.power_state === undefined ? {} : { power_state: job.machine.power_state }),
    ...(job.traceId === null ? {} : { trace_id: job.traceId }),
  };
}
