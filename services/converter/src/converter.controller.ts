import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import {
  checkTarget,
  conversionRequested,
  importRequested,
  inspectDisks,
  verifyRequested,
  type ConversionRequested,
  type DiskInspection,
  type ImportRequested,
  type VerifyRequested,
} from '@hyper2kvm/contracts';
import { OnCommand, OnRequest, WorkContext } from '@hyper2kvm/runtime';
import type { Converted } from './convert.js';
import { ConverterService, type InspectQuestion } from './converter.service.js';
import type { Imported, TargetAnswer, TargetQuestion } from './targets/index.js';
import type { Verified } from './verify/index.js';

@Controller()
export class ConverterController {
  constructor(private readonly converter: ConverterService) {}

  @OnCommand(conversionRequested)
  async convert(@Payload() data: ConversionRequested, @Ctx() work: WorkContext): Promise<Converted> {
    return this.converter.convert(data, work);
  }

  @OnCommand(verifyRequested)
  async verify(@Payload() data: VerifyRequested, @Ctx() work: WorkContext): Promise<Verified> {
    return this.converter.verify(data, work);
  }

  @OnCommand(importRequested)
  async import(@Payload() data: ImportRequested, @Ctx() work: WorkContext): Promise<Imported> {
    return this.converter.import(data, work);
  }

  @OnRequest(checkTarget)
  async checkTarget(@Payload() question: TargetQuestion): Promise<TargetAnswer> {
    return this.converter.checkTarget(question);
  }

  @OnRequest(inspectDisks)
  async inspectDisks(@Payload() question: InspectQuestion): Promise<DiskInspection> {
    return this.converter.inspectDisks(question);
  }
}
