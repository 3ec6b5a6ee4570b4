import { Module } from '@nestjs/common';
import { ConverterController } from './converter.controller.js';
import { ConverterService } from './converter.service.js';

@Module({ controllers: [ConverterController], providers: [ConverterService] })
export class ConverterModule {}
