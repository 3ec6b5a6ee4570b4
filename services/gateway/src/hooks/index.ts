import type { Provider, Type } from '@nestjs/common';

export const HOOKS_CONTROLLERS: Type[] = [];
export const HOOKS_PROVIDERS: Provider[] = [];
