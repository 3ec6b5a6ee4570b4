import type { Provider, Type } from '@nestjs/common';
import { WorkersController } from './workers.controller.js';
import { Workers } from './workers.service.js';

export const WORKERS_CONTROLLERS: Type[] = [WorkersController];
export const WORKERS_PROVIDERS: Provider[] = [Workers];
