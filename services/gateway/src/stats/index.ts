import type { Provider, Type } from '@nestjs/common';
import { StatsController } from './stats.controller.js';
import { StatsService } from './stats.service.js';

export const STATS_CONTROLLERS: Type[] = [StatsController];
export const STATS_PROVIDERS: Provider[] = [StatsService];
