import {
  ConvertAccepted,
  Health,
  Import,
  Inspection,
  JobDetail,
  JobList,
  JobLogs,
  type JobLog,
  QueueAnswer,
  RetryAllResult,
  Status,
  Verification,
  VmList,
  WorkerHeartbeat,
  type ConvertRequest,
  type ImportRequest,
  type InventoryVm,
  type JobPatch,
  type JobStatus,
  type JobSummary,
  type QueueRequest,
  type RetryAllRequest,
  type RetryRequest,
  type VmListRequest,
} from '@hyper2kvm/contracts';
import type { z } from 'zod';
import { AccessApi } from './access-api.js';
import { BatchesApi } from './batches-api.js';
import { ConnectionsApi } from './connections-api.js';
import { NotificationsApi } from './notifications-api.js';
import { OperationsApi } from './operations-api.js';
import { paged } from './paged.js';
import { Transport, type ClientOptions } from './transport.js';
import { WorkersApi } from './workers-api.js';

/** What may be sent: the schema's input, where all that has a default may be left out. */
export type ConvertBody = z.input<typeof ConvertRequest>;
export type VmListBody = z.input<typeof VmListRequest>;

/** Which jobs; all conditions hold together. */
export interface JobFilter {
  readonly status?: readonly JobStatus[] | undefined;
  readonly vm?: string | undefined;
  readonly tag?: string | undefined;
  readonly batch?: string | undefined;
  /** RFC 3339: created then or later. */
  readonly since?: string | undefined;
}

/** Page size of the inventory: the gateway's largest. */
const PAGE = 500;
/** A large vCenter takes its time to be listed: the gateway itself waits for a minute. */
const INVENTORY_MS = 65_000;
/** The gateway asks vCenter (13 s at most) and then a converter (30 s). */
const CONVERT_MS = 45_000;
/** Thousands of jobs are changed at once. */
const MANY_MS = 120_000;
/** Without KVM a look into disks takes a minute or more; the gateway itself waits for five. */
const INSPECT_MS = 350_000;

/** The gateway's API, typed. Errors are CliErrors that can be shown as they are. */
export class GatewayClient {
  readonly #http: Transport;
  readonly batches: BatchesApi;
  readonly access: AccessApi;
  readonly connections: ConnectionsApi;
  readonly notifications: NotificationsApi;
  readonly operations: OperationsApi;
  readonly workers: WorkersApi;

  /** @throws UsageError about the address */
  constructor(options: ClientOptions) {
    this.#http = new Transport(options);
    this.batches = new BatchesApi(this.#http);
    this.access = new AccessApi(this.#http);
    this.connections = new ConnectionsApi(this.#http);
    this.notifications = new NotificationsApi(this.#http);
    this.operations = new OperationsApi(this.#http);
    this.workers = new WorkersApi(this.#http);
  }

  /** As the user gave it. */
  get url(): string {
    return this.#http.address.shown;
  }

  convert(body: ConvertBody): Promise<ConvertAccepted> {
    return this.#http.json(ConvertAccepted, 'POST', '/api/v1/convert', { body, leastMs: CONVERT_MS });
  }

  /** Like a conversion, but the job rests when its disks are there. */
  export(body: ConvertBody): Promise<ConvertAccepted> {
    return this.#http.json(ConvertAccepted, 'POST', '/api/v1/export', { body, leastMs: CONVERT_MS });
  }

  /** Converts a job that rests in exported. */
  queue(id: string, body: z.input<typeof QueueRequest>): Promise<QueueAnswer> {
    return this.#http.json(QueueAnswer, 'POST', `${jobPath(id)}/convert`, { body });
  }

  /** What a VM is and what would be done with it. */
  inspect(body: ConvertBody): Promise<Inspection> {
    return this.#http.json(Inspection, 'POST', '/api/v1/inspect', { body, leastMs: INSPECT_MS, changes: false });
  }

  job(id: string): Promise<JobDetail> {
    return this.#http.json(JobDetail, 'GET', jobPath(id));
  }

  /** Newest first; all of them, or at most `limit`. */
  jobs(filter: JobFilter, limit?: number): Promise<JobSummary[]> {
    const { status, ...rest } = filter;
    const query = { ...rest, status: status === undefined || status.length === 0 ? undefined : status.join(',') };
    return paged(query, limit, async (search) => {
      const page = await this.#http.json(JobList, 'GET', `/api/v1/jobs?${search}`);
      return { items: page.jobs, next: page.next_cursor };
    });
  }

  /** The VMs of a vCenter, page by page, ordered by inventory path. */
  async *vms(body: VmListBody): AsyncGenerator<InventoryVm[]> {
    let cursor: string | null = null;
    do {
      const request: VmListBody = { ...body, limit: PAGE, ...(cursor === null ? {} : { cursor }) };
      const page: VmList = await this.#http.json(VmList, 'POST', '/api/v1/inventory/vms', {
        body: request,
        leastMs: INVENTORY_MS,
        changes: false,
      });
      yield page.vms;
      cursor = page.next_cursor;
    } while (cursor !== null);
  }

  /** Asks for the job to be cancelled; its traces are removed afterwards (`cleanup`). */
  cancel(id: string): Promise<JobDetail> {
    return this.#http.json(JobDetail, 'DELETE', jobPath(id));
  }

  /** @param body what shall be otherwise this time */
  retry(id: string, body: z.input<typeof RetryRequest>): Promise<JobDetail> {
    return this.#http.json(JobDetail, 'POST', `${jobPath(id)}/retry`, { body });
  }

  /** Another attempt of all failed jobs that meet the conditions. */
  retryAll(body: z.input<typeof RetryAllRequest>): Promise<RetryAllResult> {
    return this.#http.json(RetryAllResult, 'POST', '/api/v1/jobs/retry', { body, leastMs: MANY_MS });
  }

  /** Changes what may be changed of a job that waits or runs. */
  change(id: string, body: z.input<typeof JobPatch>): Promise<JobDetail> {
    return this.#http.json(JobDetail, 'PATCH', jobPath(id), { body });
  }

  /** Bytes a second of all jobs of one exporter; null is no limit. */
  async limitWorker(id: string, bytesPerSecond: number | null): Promise<void> {
    const path = `/api/v1/workers/${encodeURIComponent(id)}`;
    await this.#http.json(WorkerHeartbeat, 'PATCH', path, { body: { bandwidth_bytes_per_second: bytesPerSecond } });
  }

  /** Asks for the job's files to be read again. */
  startVerification(id: string): Promise<Verification> {
    return this.#http.json(Verification, 'POST', `${jobPath(id)}/verify`);
  }

  verification(id: string): Promise<Verification> {
    return this.#http.json(Verification, 'GET', `${jobPath(id)}/verify`);
  }

  /** Asks for the job's output to be defined in libvirt; the job shows how it goes. */
  startImport(id: string, body: z.input<typeof ImportRequest>): Promise<Import> {
    return this.#http.json(Import, 'POST', `${jobPath(id)}/import`, { body });
  }

  /** @param level this one, and what is worse */
  logs(id: string, tail: number, level: JobLog['level'] = 'info'): Promise<JobLogs> {
    return this.#http.json(JobLogs, 'GET', `${jobPath(id)}/logs?tail=${tail}&level=${level}`);
  }

  /** The open stream of the lines behind one, until the job ended. @param after its `seq`; 0 for all */
  followLogs(
    id: string,
    { level, after }: { readonly level: JobLog['level']; readonly after: number },
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>> {
    return this.#http.stream(`${jobPath(id)}/logs?follow=true&tail=10000&level=${level}&after=${after}`, {}, signal);
  }

  health(): Promise<Health> {
    // An unhealthy gateway answers 503 with the same body.
    return this.#http.json(Health, 'GET', '/health', { alsoFine: [503] });
  }

  status(): Promise<Status> {
    return this.#http.json(Status, 'GET', '/status');
  }

  /** The open stream of a job's server-sent events. */
  events(id: string, lastEventId: string | undefined, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
    return this.#http.stream(`${jobPath(id)}/events`, headers, signal);
  }
}

const jobPath = (id: string): string => `/api/v1/jobs/${encodeURIComponent(id)}`;
