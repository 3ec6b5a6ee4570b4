import { startService } from '@hyper2kvm/runtime';
import { ExporterConfig } from './config.js';
import { ExporterModule } from './exporter.module.js';
import { HooksConfig } from './hooks/index.js';

await startService({
  name: 'exporter',
  module: ExporterModule,
  section: ExporterConfig.prefault({}),
  sections: { hooks: HooksConfig },
  secrets: true,
});
