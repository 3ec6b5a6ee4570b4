import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import {
  describeVm,
  exportRequested,
  type ExportCompleted,
  type ExportRequested,
  type Machine,
  type Source,
} from '@hyper2kvm/contracts';
import { OnCommand, OnRequest, WorkContext } from '@hyper2kvm/runtime';
import { ExporterService } from './exporter.service.js';

@Controller()
export class ExporterController {
  constructor(private readonly exporter: ExporterService) {}

  @OnCommand(exportRequested)
  async export(
    @Payload() data: ExportRequested,
    @Ctx() work: WorkContext,
  ): Promise<Omit<ExportCompleted, 'job_id' | 'attempt' | 'worker'>> {
    return this.exporter.export(data, work);
  }

  @OnRequest(describeVm)
  async describe(@Payload() data: { source: Source; vm_name: string }): Promise<Machine> {
    return this.exporter.describe(data.source, data.vm_name);
  }
}
