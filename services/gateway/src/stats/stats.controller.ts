import type { Stats, StatsQuery } from '@hyper2kvm/contracts';
import { Controller, Query } from '@nestjs/common';
import { Serve } from '../http/route.js';
import { ROUTES } from '../http/routes.js';
import { ZodPipe } from '../http/zod.pipe.js';
import { StatsService } from './stats.service.js';

/** Figures under /api/v1. */
@Controller()
export class StatsController {
  constructor(private readonly service: StatsService) {}

  @Serve(ROUTES.stats)
  stats(@Query(new ZodPipe(ROUTES.stats.query)) query: StatsQuery): Promise<Stats> {
    return this.service.stats(query);
  }
}
