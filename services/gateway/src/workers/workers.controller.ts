import type { Worker, WorkerPatch } from '@hyper2kvm/contracts';
import { Body, Controller, Param } from '@nestjs/common';
import { Serve } from '../http/route.js';
import { ROUTES } from '../http/routes.js';
import { ZodPipe } from '../http/zod.pipe.js';
import { Workers } from './workers.service.js';

/** Running workers under /api/v1. */
@Controller()
export class WorkersController {
  constructor(private readonly workers: Workers) {}

  @Serve(ROUTES.patchWorker)
  patch(
    @Param('id', new ZodPipe(ROUTES.patchWorker.params.id, 'id')) id: string,
    @Body(new ZodPipe(ROUTES.patchWorker.body)) body: WorkerPatch,
  ): Promise<Worker> {
    return this.workers.patch(id, body);
  }
}
