import { startService } from '@hyper2kvm/runtime';
import { ConverterConfig } from './config.js';
import { ConverterModule } from './converter.module.js';

await startService({
  name: 'converter',
  module: ConverterModule,
  section: ConverterConfig.prefault({}),
  secrets: true,
});
