import type { Provider, Type } from '@nestjs/common';

export const BATCHES_CONTROLLERS: Type[] = [];
export const BATCHES_PROVIDERS: Provider[] = [];
