import { startService } from '@hyper2kvm/runtime';
import { ExporterConfig } from './config.js';
import { ExporterModule } from './exporter.module.js';

await startService({ name: 'exporter', module: ExporterModule, section: ExporterConfig.prefault({}), secrets: true });
