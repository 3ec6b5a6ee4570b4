import type { WorkerHeartbeat, WorkerPatch } from '@hyper2kvm/contracts';
import { Body, Controller, Param } from '@nestjs/common';
import { Workers } from '../system/workers.js';
import { Serve } from './route.js';
import { ROUTES } from './routes.js';
import { ZodPipe } from './zod.pipe.js';

/** Running workers under /api/v1. */
@Controller()
export class WorkersController {
  constructor(private readonly workers: Workers) {}

  @Serve(ROUTES.patchWorker)
  patch(
    @Param('id', new ZodPipe(ROUTES.patchWorker.params.id, 'id')) id: string,
    @Body(new ZodPipe(ROUTES.patchWorker.body)) body: WorkerPatch,
  ): Promise<WorkerHeartbeat> {
    return this.workers.patch(id, body);
  }
}
