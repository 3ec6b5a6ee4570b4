import type { Provider, Type } from '@nestjs/common';
import { RetentionController } from './retention.controller.js';
import { Retention } from './retention.service.js';

export const RETENTION_CONTROLLERS: Type[] = [RetentionController];
export const RETENTION_PROVIDERS: Provider[] = [Retention];
