import type { RetentionReport, RetentionRun } from '@hyper2kvm/contracts';
import { Body, Controller } from '@nestjs/common';
import { Serve } from '../http/route.js';
import { ROUTES } from '../http/routes.js';
import { ZodPipe } from '../http/zod.pipe.js';
import { Retention } from './retention.service.js';

/** The policy of retention under /api/v1. */
@Controller()
export class RetentionController {
  constructor(private readonly retention: Retention) {}

  @Serve(ROUTES.retention)
  plan(): Promise<RetentionReport> {
    return this.retention.plan();
  }

  @Serve(ROUTES.runRetention)
  run(@Body(new ZodPipe(ROUTES.runRetention.body)) { dry_run: dry }: RetentionRun): Promise<RetentionReport> {
    return dry ? this.retention.plan() : this.retention.run();
  }
}
