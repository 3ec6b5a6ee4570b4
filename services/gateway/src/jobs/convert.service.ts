import type { ConvertAccepted, ConvertRequest } from '@hyper2kvm/contracts';
import { traceId, traceparent } from '@hyper2kvm/runtime';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { InjectSections, type Sections } from '../config.js';
import { Job } from '../database/index.js';
import { OutboxRelay } from '../outbox/index.js';
import { Releaser } from '../release/index.js';
import { AskedSources, type Asked } from './asked-source.js';
import { estimateSeconds } from './estimate.js';
import { newJobId } from './job-id.js';
import * as messages from './messages.js';
import type { Outgoing } from './messages.js';
import { durationOrNull, gigabytes } from './projection.js';
import { oneJobPerVm, writeOutbox } from './store.js';
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
    const job = newJob(asked, pool, requestedBy);
    await oneJobPerVm(this.dataSource, job, () =>
      this.dataSource.transaction(async (manager) => {
        await manager.insert(Job, job);
        await writeOutbox(manager, job.id, [messages.created(job), ...notes(job, answer)]);
      }),
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

function newJob({ source, machine, vmName, options }: Asked, pool: string | undefined, requestedBy: string): Job {
  const now = new Date();
  return Object.assign(new Job(), {
    id: newJobId(),
    vmName,
    vcenterServer: source.kind === 'vsphere' ? source.server : 'local',
    status: 'pending',
    phase: 'export',
    version: 1,
    sourceFiles: machine.disks.map((disk) => disk.name),
    createdAt: now,
    updatedAt: now,
    retryCount: 0,
    phaseRetries: 0,
    requestedBy,
    priority: options.priority,
    tags: options.tags,
    options,
    source,
    machine,
    host: machine.host ?? null,
    releasedAt: null,
    nextRetryAt: null,
    cleanup: null,
    cleanupAttempt: 0,
    verification: null,
    verifyAttempt: 0,
    libvirtImport: null,
    importAttempt: 0,
    targetPool: pool ?? null,
    instanceUuid: machine.instance_uuid ?? null,
    totalBytes: machine.disks.reduce((sum, disk) => sum + disk.capacity_bytes, 0),
    exportAttempt: 1,
    conversionAttempt: 0,
    generation: 0,
    traceId: traceId() ?? null,
    traceparent: traceparent() ?? null,
  } satisfies Partial<Job>);
}

function accepted(job: Job, seconds: number | null): ConvertAccepted {
  return {
    job_id: job.id,
    status: 'started',
    vm_name: job.vmName,
    disks: job.machine.disks.map((disk) => ({
      name: disk.name,
      size_gb: gigabytes(disk.capacity_bytes),
      capacity_bytes: disk.capacity_bytes,
      status: 'queued',
    })),
    created_at: job.createdAt.toISOString(),
    estimated_duration: durationOrNull(seconds),
    ...(job.machine.power_state === undefined ? {} : { power_state: job.machine.power_state }),
    ...(job.traceId === null ? {} : { trace_id: job.traceId }),
  };
}
