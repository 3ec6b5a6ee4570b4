import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import {
  conversionRequested,
  verifyRequested,
  type ConversionRequested,
  type VerifyRequested,
} from '@hyper2kvm/contracts';
import { OnCommand, WorkContext } from '@hyper2kvm/runtime';
import type { Converted } from './convert.js';
import { ConverterService } from './converter.service.js';
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
}
