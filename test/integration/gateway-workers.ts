/**
 * Stand-ins for exporter and converter: they move no disks, but answer over the real NATS through the real runtime (lanes,
 * claims, facts), so that the gateway is tested with everything but vSphere and libguestfs.
 */
import 'reflect-metadata';
import { Controller, Module, type INestMicroservice, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, Payload, type MicroserviceOptions } from '@nestjs/microservices';
import {
  checkTarget,
  checkVcenter,
  cleanupRequested,
  conversionRequested,
  conversionStarted,
  describeVm,
  exportRequested,
  exportStarted,
  hookRequested,
  importRequested,
  inspectDisks,
  listVms,
  localDisks,
  verifyRequested,
  type CleanupRequested,
  type ConversionRequested,
  type ExportRequested,
  type HookRequested,
  type ImportRequested,
  type InventoryVm,
  type Machine,
  type Source,
  type VerifyRequested,
  type WorkerHeartbeat,
} from '@hyper2kvm/contracts';
import type { z } from 'zod';
import { createLogger, JetStreamStrategy, OnCommand, OnRequest, openBus, WorkContext } from '@hyper2kvm/runtime';

export const machine = (name: string, uuid = `uuid-of-${name}`): Machine => ({
  name,
  moref: 'vm-42',
  instance_uuid: uuid,
  cpus: 2,
  memory_bytes: 2 * 1024 ** 3,
  firmware: 'bios',
  secure_boot: false,
  disks: [
    { index: 1, name: `${name}.vmdk`, capacity_bytes: 8 * 1024 ** 3 },
    { index: 2, name: `${name}_1.vmdk`, capacity_bytes: 2 * 1024 ** 3 },
  ],
  nics: [],
});

type CheckRequest = z.infer<typeof checkTarget.request>;
type CheckReply = z.infer<typeof checkTarget.reply>;
type CheckVcenterReply = z.infer<typeof checkVcenter.reply>;
type InspectRequest = z.infer<typeof inspectDisks.request>;
type InspectReply = z.infer<typeof inspectDisks.reply>;
type LocalReply = z.infer<typeof localDisks.reply>;
type ListRequest = z.infer<typeof listVms.request>;

export interface Behaviour {
  readonly describe?: (request: { source: Source; vm_name: string }) => Machine | Promise<Machine>;
  /** Before the stand-in completes; may throw. */
  readonly exporting?: (data: ExportRequested, work: WorkContext) => Promise<void>;
  /** Added to the fact of a completed export. */
  readonly exported?: object;
  readonly converting?: (data: ConversionRequested, work: WorkContext) => Promise<void>;
  readonly cleaning?: (data: CleanupRequested, work: WorkContext) => Promise<void>;
  /** May throw; what it gives is added to the fact. */
  readonly hook?: (data: HookRequested, work: WorkContext) => Promise<object>;
  readonly verifying?: (data: VerifyRequested, work: WorkContext) => Promise<object>;
  readonly importing?: (data: ImportRequested, work: WorkContext) => Promise<object>;
  /** Over an answer that has no objection. */
  readonly target?: (request: CheckRequest) => Partial<CheckReply>;
  readonly local?: () => LocalReply;
  readonly inspecting?: (request: InspectRequest) => InspectReply | Promise<InspectReply>;
  /** Default: any */
  readonly converterPools?: readonly string[];
  readonly checking?: () => CheckVcenterReply;
  /** All that match, whatever the page. */
  readonly vms?: (request: ListRequest) => InventoryVm[];
  /** Default: 2 */
  readonly slots?: number;
  /** Ids of the workers; default: `exporter-1` and `converter-1`. */
  readonly workerId?: (service: string) => string;
  /** Nothing is written of failures that are meant to be. */
  readonly quiet?: boolean;
}

/** A look into a plain Debian. */
export const inspection = (change: Partial<InspectReply> = {}): InspectReply => ({
  guest: {
    type: 'linux',
    product: 'Debian GNU/Linux 12 (bookworm)',
    distro: 'debian',
    arch: 'x86_64',
    root: '/dev/sda1',
    file_systems: [{ device: '/dev/sda1', type: 'ext4' }],
    mountpoints: [{ path: '/', device: '/dev/sda1' }],
    kernels: ['6.1.0-28-amd64'],
    init: 'systemd',
  },
  engine: 'native',
  changes: [{ step: 'fstab', file: '/etc/fstab', summary: '/dev/sda1 becomes a UUID' }],
  concerns: [],
  seconds: 21,
  ...change,
});

const idle = async (): Promise<void> => {};

function exporterModule(behaviour: Behaviour): Type {
  @Controller()
  class ExporterController {
    @OnRequest(describeVm)
    async describe(@Payload() data: { source: Source; vm_name: string }): Promise<Machine> {
      return behaviour.describe?.(data) ?? machine(data.vm_name);
    }
    @OnCommand(exportRequested)
    async export(@Payload() data: ExportRequested, @Ctx() work: WorkContext): Promise<unknown> {
      const source = (await behaviour.describe?.(data)) ?? machine(data.vm_name);
      await work.publish(exportStarted, {
        job_id: data.job_id,
        attempt: data.attempt,
        worker: work.workerId,
        started_at: new Date().toISOString(),
        machine: source,
      });
      await (behaviour.exporting ?? idle)(data, work);
      return {
        artifact: {
          version: 1,
          job_id: data.job_id,
          attempt: data.attempt,
          machine: source,
          disks: source.disks.map((disk) => ({
            ...disk,
            file: `disk${disk.index}.qcow2`,
            format: 'qcow2',
            bytes_downloaded: 1000,
            segments: ['a'.repeat(64), null],
            verified: true,
          })),
          created_at: new Date().toISOString(),
        },
        artifact_dir: `/work/${data.job_id}`,
        pool: 'any',
        bytes_downloaded: 2000,
        duration_seconds: 445,
        ...behaviour.exported,
      };
    }
    @OnCommand(cleanupRequested)
    async cleanUp(@Payload() data: CleanupRequested, @Ctx() work: WorkContext): Promise<unknown> {
      await (behaviour.cleaning ?? idle)(data, work);
      return { removed_snapshots: [`hyper2kvm-${data.job_id}`], removed_files: data.remove_files };
    }
    @OnCommand(hookRequested)
    async hook(@Payload() data: HookRequested, @Ctx() work: WorkContext): Promise<unknown> {
      return { code: 0, output: 'done\n', duration_seconds: 1, ...(await behaviour.hook?.(data, work)) };
    }
    @OnRequest(localDisks)
    async locate(): Promise<LocalReply> {
      return behaviour.local?.() ?? { disks: [{ path: '/images/a.vmdk', format: 'vmdk' }] };
    }
    @OnRequest(checkVcenter)
    async checkVcenter(): Promise<CheckVcenterReply> {
      return (
        behaviour.checking?.() ?? { product: 'VMware vCenter Server 8.0.2', api_version: '8.0.2.0', privileges: [] }
      );
    }
    @OnRequest(listVms)
    async list(@Payload() data: ListRequest): Promise<unknown> {
      const vms = behaviour.vms?.(data) ?? [];
      return { vms: vms.slice(data.offset, data.offset + data.limit), total: vms.length };
    }
  }
  @Module({ controllers: [ExporterController] })
  class ExporterModule {}
  return ExporterModule;
}

function converterModule(behaviour: Behaviour): Type {
  @Controller()
  class ConverterController {
    @OnCommand(conversionRequested)
    async convert(@Payload() data: ConversionRequested, @Ctx() work: WorkContext): Promise<unknown> {
      await work.publish(conversionStarted, {
        job_id: data.job_id,
        attempt: data.attempt,
        worker: work.workerId,
        started_at: new Date().toISOString(),
      });
      await (behaviour.converting ?? idle)(data, work);
      const folder = `/out/${data.vm_name}`;
      return {
        vm_name: data.vm_name,
        output_dir: folder,
        files: [`${folder}/disk1.qcow2`, `${folder}/disk2.qcow2`],
        disks: [],
        domain_xml: `${folder}/domain.xml`,
        manifest: `${folder}/manifest.json`,
        duration_seconds: 272,
        modifications: { virtio_drivers: true, bootloader_updated: true, network_fixed: true },
        guest: { product: 'Debian GNU/Linux 12', distro: 'debian', arch: 'x86_64' },
        concerns: [],
      };
    }
    @OnCommand(verifyRequested)
    async verify(@Payload() data: VerifyRequested, @Ctx() work: WorkContext): Promise<unknown> {
      const files = [{ file: `${data.folder}/disk1.qcow2`, segments: 128, first_difference: null }];
      const report = { identical: true, files, verified_at: new Date().toISOString(), duration_seconds: 1 };
      return { ...report, ...(await behaviour.verifying?.(data, work)) };
    }
    @OnCommand(importRequested)
    async import(@Payload() data: ImportRequested, @Ctx() work: WorkContext): Promise<unknown> {
      const report = {
        libvirt_domain: 'imported',
        libvirt_uri: 'qemu:///system',
        defined: true,
        started: data.start === true,
        concerns: [],
      };
      return { ...report, ...(await behaviour.importing?.(data, work)) };
    }
    @OnRequest(checkTarget)
    async check(@Payload() data: CheckRequest): Promise<CheckReply> {
      const fine = { problems: [], concerns: [], output_free_bytes: 500e9, work_free_bytes: 400e9 };
      return { ...fine, ...behaviour.target?.(data) };
    }
    @OnRequest(inspectDisks)
    async inspect(@Payload() data: InspectRequest): Promise<InspectReply> {
      return behaviour.inspecting?.(data) ?? inspection();
    }
  }
  @Module({ controllers: [ConverterController] })
  class ConverterModule {}
  return ConverterModule;
}

const BEAT_MS = 500;
const heartbeat = (
  service: string,
  workerId: string,
  { activeJobs, duty }: JetStreamStrategy,
  slots: number,
): WorkerHeartbeat => ({
  worker_id: workerId,
  service,
  version: '0.0.0',
  host: 'localhost',
  pid: process.pid,
  pools: ['any'],
  slots,
  active_jobs: activeJobs,
  paused: duty.current !== 'running',
  ...(duty.current === 'draining' ? { draining: true } : {}),
  disk_free_bytes: 500e9,
  started_at: new Date().toISOString(),
  time: new Date().toISOString(),
});

/** Starts both (or one); the result stops them. */
export async function startWorkers(
  servers: string[],
  behaviour: Behaviour = {},
  which: readonly ('exporter' | 'converter')[] = ['exporter', 'converter'],
): Promise<() => Promise<void>> {
  const logger = createLogger('stand-in', behaviour.quiet === true ? 'silent' : 'error');
  const apps: { app: INestMicroservice; close: () => Promise<void> }[] = [];
  const slots = behaviour.slots ?? 2;
  for (const service of which) {
    const workerId = behaviour.workerId?.(service) ?? `${service}-1`;
    const { bus, claims, close } = await openBus({
      nats: { servers, replicas: 1 },
      service,
      workerId,
      logger,
    });
    const strategy = new JetStreamStrategy({
      bus,
      claims,
      logger,
      service,
      workerId,
      pools: service === 'converter' ? (behaviour.converterPools ?? ['any']) : ['any'],
      slots,
      graceMs: 0,
    });
    const module = service === 'exporter' ? exporterModule(behaviour) : converterModule(behaviour);
    const app = await NestFactory.createMicroservice<MicroserviceOptions>(module, { strategy, logger: false });
    await app.listen();
    const beat = async (): Promise<unknown> =>
      bus.buckets.workers
        .put(`${service}.${workerId}`, JSON.stringify(heartbeat(service, workerId, strategy, slots)))
        .catch(() => {});
    await beat();
    strategy.duty.onChange(() => void beat());
    const timer = setInterval(() => void beat(), BEAT_MS);
    apps.push({
      app,
      close: async () => {
        clearInterval(timer);
        // As a worker that ends by itself does.
        await bus.buckets.workers.purge(`${service}.${workerId}`).catch(() => {});
        await close();
      },
    });
  }
  return async () => {
    for (const { app, close } of apps) {
      await app.close();
      await close();
    }
  };
}
