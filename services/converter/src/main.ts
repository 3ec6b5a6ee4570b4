import { startService, TargetsConfig } from '@hyper2kvm/runtime';
import { ConverterConfig } from './config.js';
import { ConverterModule } from './converter.module.js';

await startService({
  name: 'converter',
  module: ConverterModule,
  section: ConverterConfig.prefault({}),
  sections: { targets: TargetsConfig },
  secrets: true,
});
