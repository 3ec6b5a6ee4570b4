import type {
  BatchAccepted,
  BatchDetail,
  BatchList,
  BatchListQuery,
  BatchPatch,
  BatchReportQuery,
  BatchRequest,
} from '@hyper2kvm/contracts';
import { Body, Controller, Param, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { callerOf, type AuthenticatedRequest } from '../http/caller.js';
import { Serve } from '../http/route.js';
import { BATCHES_ROUTES as ROUTES } from '../http/routes/batches.js';
import { ZodPipe } from '../http/zod.pipe.js';
import { BatchActions } from './actions.js';
import { BatchPipe } from './batch.pipe.js';
import { CreateBatch } from './create.service.js';
import { BatchQueries } from './queries.js';
import { BatchReports, csvOf } from './report.js';

const id = new ZodPipe(ROUTES.batch.params.id, 'id');

@Controller()
export class BatchesController {
  constructor(
    private readonly creation: CreateBatch,
    private readonly queries: BatchQueries,
    private readonly actions: BatchActions,
    private readonly reports: BatchReports,
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

  @Serve(ROUTES.patchBatch)
  patch(
    @Param('id', id) batchId: string,
    @Body(new ZodPipe(ROUTES.patchBatch.body)) body: BatchPatch,
    @Req() request: AuthenticatedRequest,
  ): Promise<BatchDetail> {
    return this.actions.patch(batchId, body, callerOf(request));
  }

  @Serve(ROUTES.resumeBatch)
  resume(@Param('id', id) batchId: string): Promise<BatchDetail> {
    return this.actions.resume(batchId);
  }

  @Serve(ROUTES.batchReport)
  async report(
    @Param('id', id) batchId: string,
    @Query(new ZodPipe(ROUTES.batchReport.query)) { format }: BatchReportQuery,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const report = await this.reports.report(batchId);
    if (format === 'json') return void (await reply.send(report));
    await reply
      .header('content-type', 'text/csv; charset=utf-8; header=present')
      .header('content-disposition', `attachment; filename="${report.batch_id}.csv"`)
      .send(csvOf(report.vms));
  }
}
