import { describeVm, type ConvertAccepted, type ConvertRequest, type Machine, type Source } from '@hyper2kvm/contracts';
import { Bus, Sealer, traceId } from '@hyper2kvm/runtime';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { InjectSections, type Sections } from '../config.js';
import { Job } from '../database/index.js';
import { OutboxRelay } from '../outbox/index.js';
import { VcenterWatch } from '../system/vcenter-watch.js';
import { estimateSeconds } from './estimate.js';
import { newJobId } from './job-id.js';
import * as messages from './messages.js';
import { durationOrNull, gigabytes } from './projection.js';
import { oneJobPerVm, writeOutbox } from './store.js';
import { resolveVcenter } from './vcenter.js';

/** Takes in one VM. Nothing is written before an exporter has seen the VM with this login. */
@Injectable()
export class ConvertService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly bus: Bus,
    private readonly sealer: Sealer,
    private readonly relay: OutboxRelay,
    private readonly vcenter: VcenterWatch,
    @InjectSections() private readonly config: Sections,
  ) {}

  /** @throws JobError of the vCenter (login, VM, network), NO_WORKER, BAD_REQUEST, VM_BUSY */
  async convert(request: ConvertRequest, requestedBy: string): Promise<ConvertAccepted> {
    const source = this.#source(request);
    const machine = await this.vcenter.watch(this.bus.request(describeVm, { source, vm_name: request.vm_name }));
    const job = newJob(request, source, machine, requestedBy);
    await oneJobPerVm(this.dataSource, job, () =>
      this.dataSource.transaction(async (manager) => {
        await manager.insert(Job, job);
        await writeOutbox(manager, job.id, [messages.created(job), messages.requestExport(job)]);
      }),
    );
    this.relay.kick();
    return accepted(job, await estimateSeconds(this.dataSource, job.totalBytes));
  }

  #source(request: ConvertRequest): Source {
    const { password, ...vcenter } = resolveVcenter(request.vcenter, this.config.vsphere);
    return { kind: 'vsphere', ...vcenter, password_sealed: this.sealer.seal(password) };
  }
}

function newJob(request: ConvertRequest, source: Source, machine: Machine, requestedBy: string): Job {
  const now = new Date();
  return Object.assign(new Job(), {
    id: newJobId(),
    vmName: request.vm_name,
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
    instanceUuid: machine.instance_uuid ?? null,
    totalBytes: machine.disks.reduce((sum, disk) => sum + disk.capacity_bytes, 0),
    exportAttempt: 1,
    conversionAttempt: 0,
    generation: 0,
    traceId: traceId() ?? null,
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
    ...(job.traceId === null ? {} : { trace_id: job.traceId }),
  };
}
