import {
  describeVm,
  JobError,
  type ConvertAccepted,
  type ConvertRequest,
  type Machine,
  type Source,
} from '@hyper2kvm/contracts';
import { Bus, traceId, traceparent } from '@hyper2kvm/runtime';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Job } from '../database/index.js';
import { OutboxRelay } from '../outbox/index.js';
import { Releaser } from '../release/index.js';
import { VcenterWatch } from '../system/vcenter-watch.js';
import { estimateSeconds } from './estimate.js';
import { newJobId } from './job-id.js';
import * as messages from './messages.js';
import { durationOrNull, gigabytes } from './projection.js';
import { oneJobPerVm, writeOutbox } from './store.js';
import { VcenterSources } from './vcenter-sources.js';

/** Takes in one VM. Nothing is written before an exporter has seen the VM with this login, or the files. */
@Injectable()
export class ConvertService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly bus: Bus,
    private readonly sources: VcenterSources,
    private readonly relay: OutboxRelay,
    private readonly releaser: Releaser,
    private readonly vcenter: VcenterWatch,
  ) {}

  /** @throws JobError of the vCenter (login, VM, network) or of the files, NO_WORKER, BAD_REQUEST, VM_BUSY */
  async convert(request: ConvertRequest, requestedBy: string): Promise<ConvertAccepted> {
    const source = this.#source(request);
    const described = this.bus.request(describeVm, { source, vm_name: request.vm_name });
    const machine = await (source.kind === 'vsphere' ? this.vcenter.watch(described) : described);
    const job = newJob(request, source, machine, requestedBy);
    await oneJobPerVm(this.dataSource, job, () =>
      this.dataSource.transaction(async (manager) => {
        await manager.insert(Job, job);
        await writeOutbox(manager, job.id, [messages.created(job)]);
      }),
    );
    this.relay.kick();
    this.releaser.kick();
    return accepted(job, await estimateSeconds(this.dataSource, job.totalBytes));
  }

  #source(request: ConvertRequest): Source {
    if (request.source === undefined) return this.sources.of(request.vcenter);
    assertLocal(request);
    return request.source;
  }
}

/** @throws JobError BAD_REQUEST where something is asked that only a vCenter can do */
function assertLocal({ vcenter, options }: ConvertRequest): void {
  const [setting] = Object.keys(vcenter);
  if (setting !== undefined)
    throw new JobError('BAD_REQUEST', `vcenter.${setting}: not together with source, which names files on the worker.`);
  if (options.transport !== 'auto')
    throw new JobError('BAD_REQUEST', 'options.transport: only of a VM on a vCenter, not of files.');
  if (options.source_power !== 'keep')
    throw new JobError('BAD_REQUEST', 'options.source_power: only of a VM on a vCenter, not of files.');
}

function newJob(request: ConvertRequest, source: Source, machine: Machine, requestedBy: string): Job {
  const now = new Date();
  return Object.assign(new Job(), {
    id: newJobId(),
    // Asked for by its path or id, a VM still has a name: that is what people look for.
    vmName: source.kind === 'vsphere' ? machine.name : request.vm_name,
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
    priority: request.options.priority,
    tags: request.options.tags,
    options: request.options,
    source,
    machine,
    host: machine.host ?? null,
    releasedAt: null,
    nextRetryAt: null,
    cleanup: null,
    cleanupAttempt: 0,
    verification: null,
    verifyAttempt: 0,
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
