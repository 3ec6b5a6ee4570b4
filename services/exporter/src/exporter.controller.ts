import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import {
  checkVcenter,
  cleanupRequested,
  describeVm,
  exportRequested,
  hookRequested,
  listVms,
  localDisks,
  type CleanupCompleted,
  type CleanupRequested,
  type ExportCompleted,
  type ExportRequested,
  type HookCompleted,
  type HookRequested,
  type InventoryVm,
  type Machine,
  type Source,
  type VsphereSource,
} from '@hyper2kvm/contracts';
import { OnCommand, OnRequest, WorkContext } from '@hyper2kvm/runtime';
import type { z } from 'zod';
import { ExporterService } from './exporter.service.js';
import { HooksService } from './hooks/index.js';
import { InventoryService } from './inventory.service.js';
import type { LocatedDisks } from './sources/local/index.js';
import type { VcenterCheck } from './sources/vsphere/index.js';

@Controller()
export class ExporterController {
  constructor(
    private readonly exporter: ExporterService,
    private readonly inventory: InventoryService,
    private readonly hooks: HooksService,
  ) {}

  @OnCommand(exportRequested)
  async export(
    @Payload() data: ExportRequested,
    @Ctx() work: WorkContext,
  ): Promise<Omit<ExportCompleted, 'job_id' | 'attempt' | 'worker'>> {
    return this.exporter.export(data, work);
  }

  @OnCommand(cleanupRequested)
  async cleanUp(
    @Payload() data: CleanupRequested,
    @Ctx() work: WorkContext,
  ): Promise<Omit<CleanupCompleted, 'job_id' | 'attempt' | 'worker'>> {
    return this.exporter.cleanUp(data, work);
  }

  @OnCommand(hookRequested)
  async runHook(
    @Payload() data: HookRequested,
    @Ctx() work: WorkContext,
  ): Promise<Omit<HookCompleted, 'job_id' | 'attempt' | 'worker'>> {
    return this.hooks.run(data, work);
  }

  @OnRequest(describeVm)
  async describe(@Payload() data: { source: Source; vm_name: string }): Promise<Machine> {
    return this.inventory.describe(data.source, data.vm_name);
  }

  @OnRequest(listVms)
  async list(@Payload() data: z.output<typeof listVms.request>): Promise<{ vms: InventoryVm[]; total: number }> {
    return this.inventory.list(data);
  }

  @OnRequest(checkVcenter)
  async check(@Payload() data: { source: VsphereSource }): Promise<VcenterCheck> {
    return this.inventory.check(data.source);
  }

  @OnRequest(localDisks)
  async localDisks(@Payload() data: z.output<typeof localDisks.request>): Promise<LocatedDisks> {
    return this.inventory.locate(data.source, data.vm_name);
  }
}
