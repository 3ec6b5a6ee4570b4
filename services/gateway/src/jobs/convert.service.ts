import type { ConvertAccepted, ConvertRequest } from '@hyper2kvm/contracts';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { InjectSections, type Sections } from '../config.js';
import type { Job } from '../database/index.js';
import { OutboxRelay } from '../outbox/index.js';
import { Releaser } from '../release/index.js';
import { AskedSources } from './asked-source.js';
import { estimateSeconds } from './estimate.js';
import * as messages from './messages.js';
import type { Outgoing } from './messages.js';
import { insertJobs, newJob } from './new-job.js';
import { durationOrNull, gigabytes } from './projection.js';
import { oneJobPerVm } from './store.js';
import { refusalOf, TargetCheck, type TargetAnswer } from './target-check.js';
import { assertTarget } from './targets.js';

/** Takes in one VM. Nothing is written before an exporter has seen the VM with this login (or the files), and a converter the target. */
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
    const asked = await this.sources.describe(request);
    const answer = asked.options.auto_convert ? await this.target.ask(asked) : undefined;
    const refusal = refusalOf(answer?.problems ?? []);
    if (refusal !== undefined) throw refusal;
    const wish = { ...asked, vmRef: request.vm_name, pool, requestedBy };
    const job = newJob(wish, new Date());
    await oneJobPerVm(this.dataSource, job, () =>
      this.dataSource.transaction((manager) => insertJobs(manager, [job], () => notes(job, answer))),
    );
    this.relay.kick();
    this.releaser.kick();
    return {
      ...accepted(job, await estimateSeconds(this.dataSource, job.totalBytes)),
      concerns: [...(answer?.concerns ?? [])],
    };
  }
}

/** Lines of the job's log about the look at its target. */
function notes(job: Job, answer: TargetAnswer | undefined): Outgoing[] {
  if (answer === undefined) return [];
  const line = (level: 'info' | 'warn', message: string): Outgoing =>
    messages.log(job, { level, phase: 'conversion', message }, job.createdAt);
  return [
    ...(answer.unchecked === undefined
      ? []
      : [line('info', `The target was not looked at before: ${answer.unchecked}.`)]),
    ...answer.concerns.map(({ severity, message, advice }) =>
      line(severity === 'info' ? 'info' : 'warn', `${message} ${advice}`),
    ),
  ];
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
