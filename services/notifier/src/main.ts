import { startService } from '@hyper2kvm/runtime';
import { NotifierConfig } from './config.js';
import { NotifierModule } from './notifier.module.js';

await startService({
  name: 'notifier',
  module: NotifierModule,
  section: NotifierConfig.prefault({}),
  factsFrom: 'new',
});
