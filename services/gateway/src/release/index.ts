import type { Provider } from '@nestjs/common';
import { Logins } from './logins.js';
import { Looker } from './looker.js';
import { Looks } from './looks.js';
import { Releaser } from './releaser.js';
import { WorkerSlots } from './slots.js';
import { Waiting } from './waiting.js';

export { Releaser } from './releaser.js';
export { Waiting, type WaitingState } from './waiting.js';

export const RELEASE_PROVIDERS: Provider[] = [Releaser, WorkerSlots, Logins, Looks, Looker, Waiting];
