import type { Provider, Type } from '@nestjs/common';

export const STATS_CONTROLLERS: Type[] = [];
export const STATS_PROVIDERS: Provider[] = [];
