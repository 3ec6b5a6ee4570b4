import { Module } from '@nestjs/common';
import { ExporterController } from './exporter.controller.js';
import { ExporterService } from './exporter.service.js';
import { HooksService } from './hooks/index.js';
import { InventoryService } from './inventory.service.js';
import { Shared } from './shared.js';

@Module({ controllers: [ExporterController], providers: [ExporterService, HooksService, InventoryService, Shared] })
export class ExporterModule {}
