import {
  jobLog,
  type AttemptList,
  type ConvertAccepted,
  type ConvertRequest,
  type Import,
  type ImportRequest,
  type Inspection,
  type InspectRequest,
  type JobDetail,
  type JobList,
  type JobListQuery,
  type JobLogs,
  type JobLogsQuery,
  type JobPatch,
  type QueueAnswer,
  type QueueRequest,
  type RetryAllRequest,
  type RetryAllResult,
  type RetryRequest,
  type Timeline,
  type Verification,
} from '@hyper2kvm/contracts';
import { Bus } from '@hyper2kvm/runtime';
import { Body, Controller, Headers, Param, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { InspectService } from '../inspect/index.js';
import { ConvertService, Histories, Imports, JobActions, JobQueries, Verifications } from '../jobs/index.js';
import { callerOf, type AuthenticatedRequest } from './caller.js';
import { ConvertPipe } from './convert.pipe.js';
import { EventStream } from './event-stream.js';
import { JobFollower } from './job-follower.js';
import { LogReading } from './log-reading.js';
import { Serve } from './route.js';
import { ROUTES } from './routes.js';
import { ZodPipe } from './zod.pipe.js';

const id = new ZodPipe(ROUTES.job.params.id, 'id');

/** Jobs under /api/v1. */
@Controller()
export class JobsController {
  constructor(
    private readonly converts: ConvertService,
    private readonly queries: JobQueries,
    private readonly actions: JobActions,
    private readonly verifications: Verifications,
    private readonly imports: Imports,
    private readonly histories: Histories,
    private readonly inspections: InspectService,
    private readonly follower: JobFollower,
    private readonly bus: Bus,
  ) {}

  @Serve(ROUTES.convert)
  convert(@Body(ConvertPipe) body: ConvertRequest, @Req() request: AuthenticatedRequest): Promise<ConvertAccepted> {
    return this.converts.convert(body, callerOf(request));
  }

  /** The same without the conversion, which may be asked for later. */
  @Serve(ROUTES.export)
  export(@Body(ConvertPipe) body: ConvertRequest, @Req() request: AuthenticatedRequest): Promise<ConvertAccepted> {
    return this.converts.export(body, callerOf(request));
  }

  @Serve(ROUTES.inspect)
  inspect(@Body(ConvertPipe) body: InspectRequest): Promise<Inspection> {
    return this.inspections.inspect(body);
  }

  @Serve(ROUTES.jobs)
  list(@Query(new ZodPipe(ROUTES.jobs.query)) query: JobListQuery): Promise<JobList> {
    return this.queries.list(query);
  }

  @Serve(ROUTES.job)
  detail(@Param('id', id) jobId: string): Promise<JobDetail> {
    return this.queries.detail(jobId);
  }

  @Serve(ROUTES.patchJob)
  patch(
    @Param('id', id) jobId: string,
    @Body(new ZodPipe(ROUTES.patchJob.body)) body: JobPatch,
    @Req() request: AuthenticatedRequest,
  ): Promise<JobDetail> {
    return this.actions.patch(jobId, body, callerOf(request));
  }

  @Serve(ROUTES.cancel)
  cancel(@Param('id', id) jobId: string, @Req() request: AuthenticatedRequest): Promise<JobDetail> {
    return this.actions.cancel(jobId, callerOf(request));
  }

  @Serve(ROUTES.retry)
  retry(
    @Param('id', id) jobId: string,
    @Body(new ZodPipe(ROUTES.retry.body)) body: RetryRequest,
    @Req() request: AuthenticatedRequest,
  ): Promise<JobDetail> {
    return this.actions.retry(jobId, body, callerOf(request));
  }

  @Serve(ROUTES.retryAll)
  retryAll(
    @Body(new ZodPipe(ROUTES.retryAll.body)) body: RetryAllRequest,
    @Req() request: AuthenticatedRequest,
  ): Promise<RetryAllResult> {
    return this.actions.retryMany(body, callerOf(request));
  }

  @Serve(ROUTES.queue)
  queue(
    @Param('id', id) jobId: string,
    @Body(new ZodPipe(ROUTES.queue.body)) body: QueueRequest,
    @Req() request: AuthenticatedRequest,
  ): Promise<QueueAnswer> {
    return this.actions.convert(jobId, body, callerOf(request));
  }

  @Serve(ROUTES.verify)
  verify(@Param('id', id) jobId: string, @Req() request: AuthenticatedRequest): Promise<Verification> {
    return this.verifications.ask(jobId, callerOf(request));
  }

  @Serve(ROUTES.verification)
  verification(@Param('id', id) jobId: string): Promise<Verification> {
    return this.verifications.latest(jobId);
  }

  @Serve(ROUTES.import)
  import(
    @Param('id', id) jobId: string,
    @Body(new ZodPipe(ROUTES.import.body)) body: ImportRequest,
    @Req() request: AuthenticatedRequest,
  ): Promise<Import> {
    return this.imports.ask(jobId, body, callerOf(request));
  }

  @Serve(ROUTES.attempts)
  attempts(@Param('id', id) jobId: string): Promise<AttemptList> {
    return this.histories.attempts(jobId);
  }

  @Serve(ROUTES.timeline)
  timeline(@Param('id', id) jobId: string): Promise<Timeline> {
    return this.histories.timeline(jobId);
  }

  @Serve(ROUTES.logs)
  async logs(
    @Param('id', id) jobId: string,
    @Query(new ZodPipe(ROUTES.logs.query)) query: JobLogsQuery,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const job = await this.queries.row(jobId);
    if (!query.follow) {
      const { tail: limit, after: afterSeq = 0 } = query;
      const reading = new LogReading(job.id, query, afterSeq);
      const found = await this.bus.range(jobLog, job.id, { limit, afterSeq, wanted: reading.wanted });
      const notice = reading.notice(found.length);
      const lines = found.map(({ data, seq }) => ({ ...data, seq }));
      await reply.send({ job_id: job.id, lines: [...(notice ? [notice] : []), ...lines] } satisfies JobLogs);
      return;
    }
    reply.hijack();
    const after = placeOf(lastEventId) || (query.after ?? 0);
    await this.follower.followLog(job, new EventStream(reply.raw), query, after);
  }

  @Serve(ROUTES.events)
  async events(
    @Param('id', id) jobId: string,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const job = await this.queries.row(jobId);
    reply.hijack();
    await this.follower.follow(job, new EventStream(reply.raw), placeOf(lastEventId));
  }
}

/** The sequence that an id of an event names; 0 where there is none. */
const placeOf = (id: string | undefined): number => (/^\d{1,15}$/.test(id ?? '') ? Number(id) : 0);
