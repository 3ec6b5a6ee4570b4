import type { Worker, WorkerList, WorkerPatch } from '@hyper2kvm/contracts';
import { Body, Controller, Param } from '@nestjs/common';
import { Serve } from '../http/route.js';
import { ROUTES } from '../http/routes.js';
import { ZodPipe } from '../http/zod.pipe.js';
import { Workers } from './workers.service.js';

const id = new ZodPipe(ROUTES.worker.params.id, 'id');

/** Running workers under /api/v1. */
@Controller()
export class WorkersController {
  constructor(private readonly workers: Workers) {}

  @Serve(ROUTES.workers)
  list(): Promise<WorkerList> {
    return this.workers.list();
  }

  @Serve(ROUTES.worker)
  get(@Param('id', id) worker: string): Promise<Worker> {
    return this.workers.get(worker);
  }

  @Serve(ROUTES.pauseWorker)
  pause(@Param('id', id) worker: string): Promise<Worker> {
    return this.workers.tell(worker, 'paused');
  }

  @Serve(ROUTES.resumeWorker)
  resume(@Param('id', id) worker: string): Promise<Worker> {
    return this.workers.tell(worker, 'running');
  }

  @Serve(ROUTES.drainWorker)
  drain(@Param('id', id) worker: string): Promise<Worker> {
    return this.workers.tell(worker, 'draining');
  }

  @Serve(ROUTES.patchWorker)
  patch(
    @Param('id', id) worker: string,
    @Body(new ZodPipe(ROUTES.patchWorker.body)) body: WorkerPatch,
  ): Promise<Worker> {
    return this.workers.patch(worker, body);
  }
}
