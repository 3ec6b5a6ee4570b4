import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { conversionRequested, type ConversionRequested } from '@hyper2kvm/contracts';
import { OnCommand, WorkContext } from '@hyper2kvm/runtime';
import type { Converted } from './convert.js';
import { ConverterService } from './converter.service.js';

@Controller()
export class ConverterController {
  constructor(private readonly converter: ConverterService) {}

  @OnCommand(conversionRequested)
  async convert(@Payload() data: ConversionRequested, @Ctx() work: WorkContext): Promise<Converted> {
    return this.converter.convert(data, work);
  }
}
