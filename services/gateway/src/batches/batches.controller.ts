import type { BatchAccepted, BatchDetail, BatchList, BatchListQuery, BatchRequest } from '@hyper2kvm/contracts';
import { Body, Controller, Param, Query, Req } from '@nestjs/common';
import { callerOf, type AuthenticatedRequest } from '../http/caller.js';
import { Serve } from '../http/route.js';
import { BATCHES_ROUTES as ROUTES } from '../http/routes/batches.js';
import { ZodPipe } from '../http/zod.pipe.js';
import { BatchActions } from './actions.js';
import { BatchPipe } from './batch.pipe.js';
import { CreateBatch } from './create.service.js';
import { BatchQueries } from './queries.js';

const id = new ZodPipe(ROUTES.batch.params.id, 'id');

@Controller()
export class BatchesController {
  constructor(
    private readonly creation: CreateBatch,
    private readonly queries: BatchQueries,
    private readonly actions: BatchActions,
  ) {}

  @Serve(ROUTES.createBatch)
  create(@Body(BatchPipe) body: BatchRequest, @Req() request: AuthenticatedRequest): Promise<BatchAccepted> {
    return this.creation.create(body, callerOf(request));
  }

  @Serve(ROUTES.batches)
  list(@Query(new ZodPipe(ROUTES.batches.query)) query: BatchListQuery): Promise<BatchList> {
    return this.queries.list(query);
  }

  @Serve(ROUTES.batch)
  detail(@Param('id', id) batchId: string): Promise<BatchDetail> {
    return this.queries.detail(batchId);
  }

  @Serve(ROUTES.cancelBatch)
  cancel(@Param('id', id) batchId: string, @Req() request: AuthenticatedRequest): Promise<BatchDetail> {
    return this.actions.cancel(batchId, callerOf(request));
  }
}
