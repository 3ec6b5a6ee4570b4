import type { Provider, Type } from '@nestjs/common';

export const DEAD_LETTERS_CONTROLLERS: Type[] = [];
export const DEAD_LETTERS_PROVIDERS: Provider[] = [];
