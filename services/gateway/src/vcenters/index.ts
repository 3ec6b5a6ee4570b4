import type { Provider, Type } from '@nestjs/common';
import { VcenterConnections } from './connections.js';
import { SecretRotation } from './rotation/rotation.js';
import { WaitingSecrets } from './rotation/waiting.js';
import { SecretsController } from './secrets.controller.js';
import { VcenterSources } from './sources.js';
import { VcentersController } from './vcenters.controller.js';

export { forgetSecrets } from './forget.js';
export { VcenterSources, type ResolvedSource } from './sources.js';

export const VCENTERS_CONTROLLERS: Type[] = [VcentersController, SecretsController];
export const VCENTERS_PROVIDERS: Provider[] = [VcenterSources, VcenterConnections, SecretRotation, WaitingSecrets];
