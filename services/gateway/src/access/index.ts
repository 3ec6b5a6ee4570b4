import type { Provider, Type } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AuthGuard } from './auth.guard.js';

export const ACCESS_CONTROLLERS: Type[] = [];
export const ACCESS_PROVIDERS: Provider[] = [{ provide: APP_GUARD, useClass: AuthGuard }];
