import type { Provider, Type } from '@nestjs/common';
import { VcenterConnections } from './connections.js';
import { VcenterSources } from './sources.js';
import { VcentersController } from './vcenters.controller.js';

export { VcenterSources, type ResolvedSource } from './sources.js';

export const VCENTERS_CONTROLLERS: Type[] = [VcentersController];
export const VCENTERS_PROVIDERS: Provider[] = [VcenterSources, VcenterConnections];
