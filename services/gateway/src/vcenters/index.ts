import type { Provider, Type } from '@nestjs/common';
import { VcenterSources } from './sources.js';

export { VcenterSources, type ResolvedSource } from './sources.js';

export const VCENTERS_CONTROLLERS: Type[] = [];
export const VCENTERS_PROVIDERS: Provider[] = [VcenterSources];
