import { Module } from '@nestjs/common';
import { ExporterController } from './exporter.controller.js';
import { ExporterService } from './exporter.service.js';

@Module({ controllers: [ExporterController], providers: [ExporterService] })
export class ExporterModule {}
