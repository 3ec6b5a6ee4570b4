import {
  ConvertAccepted,
  Health,
  Import,
  Inspection,
  JobDetail,
  JobList,
  JobLogs,
  Problem,
  Status,
  Verification,
  VmList,
  WorkerHeartbeat,
  type ConvertRequest,
  type ImportRequest,
  type InventoryVm,
  type JobStatus,
  type JobSummary,
  type RetryRequest,
  type VmListRequest,
} from '@hyper2kvm/contracts';
import { z } from 'zod';
import { CliError, GatewayProblem, GatewayUnreachable } from './errors.js';
import { EXIT } from './exit-codes.js';

/** What may be sent: the schema's input, where all that has a default may be left out. */
export type ConvertBody = z.input<typeof ConvertRequest>;
export type VmListBody = z.input<typeof VmListRequest>;

export interface ClientOptions {
  readonly url: string;
  readonly token?: string | undefined;
  /** For requests with a short answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Sent with every request (traceparent). */
  readonly headers?: () => Record<string, string>;
}

/** Page size of lists: the gateway's largest. */
const PAGE = 500;
/** A large vCenter takes its time to be listed: the gateway itself waits for a minute. */
const INVENTORY_MS = 65_000;
/** The gateway asks vCenter (13 s at most) and then a converter (30 s). */
const CONVERT_MS = 45_000;
/** Without KVM a look into disks takes a minute or more; the gateway itself waits for five. */
const INSPECT_MS = 350_000;

/** The gateway's API, typed. Errors are CliErrors that can be shown as they are. */
export class GatewayClient {
  readonly url: string;
  constructor(private readonly options: ClientOptions) {
    this.url = options.url.replace(/\/+$/, '');
  }

  convert(body: ConvertBody): Promise<ConvertAccepted> {
    return this.#json(ConvertAccepted, 'POST', '/api/v1/convert', { body, leastMs: CONVERT_MS });
  }

  /** What a VM is and what would be done with it. */
  inspect(body: ConvertBody): Promise<Inspection> {
    return this.#json(Inspection, 'POST', '/api/v1/inspect', { body, leastMs: INSPECT_MS });
  }

  job(id: string): Promise<JobDetail> {
    return this.#json(JobDetail, 'GET', jobPath(id));
  }

  /** Newest first, all pages. */
  async jobs(filter: { status?: readonly JobStatus[] | undefined; vm?: string | undefined }): Promise<JobSummary[]> {
    const found: JobSummary[] = [];
    let cursor: string | null = null;
    do {
      const query = new URLSearchParams({ limit: String(PAGE) });
      if (filter.status !== undefined && filter.status.length > 0) query.set('status', filter.status.join(','));
      if (filter.vm !== undefined) query.set('vm', filter.vm);
      if (cursor !== null) query.set('cursor', cursor);
      const page: JobList = await this.#json(JobList, 'GET', `/api/v1/jobs?${query.toString()}`);
      found.push(...page.jobs);
      cursor = page.next_cursor;
    } while (cursor !== null);
    return found;
  }

  /** The newest job of a VM. @throws CliError (exit code 4) when there is none */
  async jobOfVm(vm: string): Promise<JobSummary> {
    const query = new URLSearchParams({ vm, limit: '1' });
    const [job] = (await this.#json(JobList, 'GET', `/api/v1/jobs?${query.toString()}`)).jobs;
    if (job !== undefined) return job;
    throw new CliError(`there is no job of a VM named ${vm}`, {
      code: 'JOB_NOT_FOUND',
      exitCode: EXIT.notFound,
      advice: 'hyperctl list shows the jobs',
    });
  }

  /** The VMs of a vCenter, page by page, ordered by inventory path. */
  async *vms(body: VmListBody): AsyncGenerator<InventoryVm[]> {
    let cursor: string | null = null;
    do {
      const request: VmListBody = { ...body, limit: PAGE, ...(cursor === null ? {} : { cursor }) };
      const page: VmList = await this.#json(VmList, 'POST', '/api/v1/inventory/vms', {
        body: request,
        leastMs: INVENTORY_MS,
      });
      yield page.vms;
      cursor = page.next_cursor;
    } while (cursor !== null);
  }

  /** Asks for the job to be cancelled; its traces are removed afterwards (`cleanup`). */
  cancel(id: string): Promise<JobDetail> {
    return this.#json(JobDetail, 'DELETE', jobPath(id));
  }

  /** @param body what shall be otherwise this time */
  retry(id: string, body: z.input<typeof RetryRequest>): Promise<JobDetail> {
    return this.#json(JobDetail, 'POST', `${jobPath(id)}/retry`, { body });
  }

  /** Bytes a second of one job; null is no limit. */
  async limitJob(id: string, bytesPerSecond: number | null): Promise<void> {
    await this.#json(JobDetail, 'PATCH', jobPath(id), { body: { bandwidth_bytes_per_second: bytesPerSecond } });
  }

  /** Bytes a second of all jobs of one exporter; null is no limit. */
  async limitWorker(id: string, bytesPerSecond: number | null): Promise<void> {
    const path = `/api/v1/workers/${encodeURIComponent(id)}`;
    await this.#json(WorkerHeartbeat, 'PATCH', path, { body: { bandwidth_bytes_per_second: bytesPerSecond } });
  }

  /** Asks for the job's files to be read again. */
  startVerification(id: string): Promise<Verification> {
    return this.#json(Verification, 'POST', `${jobPath(id)}/verify`);
  }

  verification(id: string): Promise<Verification> {
    return this.#json(Verification, 'GET', `${jobPath(id)}/verify`);
  }

  /** Asks for the job's output to be defined in libvirt; the job shows how it goes. */
  startImport(id: string, body: z.input<typeof ImportRequest>): Promise<Import> {
    return this.#json(Import, 'POST', `${jobPath(id)}/import`, { body });
  }

  logs(id: string, tail: number): Promise<JobLogs> {
    return this.#json(JobLogs, 'GET', `${jobPath(id)}/logs?tail=${tail}`);
  }

  health(): Promise<Health> {
    // An unhealthy gateway answers 503 with the same body.
    return this.#json(Health, 'GET', '/health', { alsoFine: [503] });
  }

  status(): Promise<Status> {
    return this.#json(Status, 'GET', '/status');
  }

  /** The open stream of a job's server-sent events. */
  async events(id: string, lastEventId: string | undefined, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const path = `${jobPath(id)}/events`;
    const response = await this.#fetch('GET', path, this.options.timeoutMs, {
      signal,
      headers: { accept: 'text/event-stream', ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }) },
    });
    if (!response.ok) throw await this.#problem(response);
    if (response.body === null || !(response.headers.get('content-type') ?? '').startsWith('text/event-stream'))
      throw new GatewayUnreachable(this.url, 'what answers there does not stream events');
    return response.body as AsyncIterable<Uint8Array>;
  }

  async #json<Schema extends z.ZodType>(
    schema: Schema,
    method: string,
    path: string,
    { body, alsoFine = [], leastMs = 0 }: { body?: unknown; alsoFine?: readonly number[]; leastMs?: number } = {},
  ): Promise<z.infer<Schema>> {
    const timeoutMs = Math.max(leastMs, this.options.timeoutMs);
    const response = await this.#fetch(method, path, timeoutMs, {
      signal: AbortSignal.timeout(timeoutMs),
      headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok && !alsoFine.includes(response.status)) throw await this.#problem(response);
    const parsed = schema.safeParse(await response.json().catch(() => undefined));
    if (parsed.success) return parsed.data;
    const where = parsed.error.issues[0];
    throw new GatewayUnreachable(
      this.url,
      `its answer to ${method} ${path.split('?')[0]} was not understood (${where?.path.join('.') ?? ''}: ${where?.message ?? ''}); are hyperctl and the gateway of one version?`,
    );
  }

  async #fetch(method: string, path: string, timeoutMs: number, init: RequestInit): Promise<Response> {
    const headers = {
      ...(init.headers as Record<string, string>),
      ...this.options.headers?.(),
      ...(this.options.token === undefined ? {} : { authorization: `Bearer ${this.options.token}` }),
    };
    try {
      return await fetch(`${this.url}${path}`, { ...init, method, headers, redirect: 'error' });
    } catch (error) {
      throw new GatewayUnreachable(this.url, reason(error, timeoutMs), error);
    }
  }

  async #problem(response: Response): Promise<CliError> {
    const parsed = Problem.safeParse(await response.json().catch(() => undefined));
    if (parsed.success) return new GatewayProblem(parsed.data);
    if (response.status === 502 || response.status === 503 || response.status === 504)
      return new GatewayUnreachable(this.url, `a proxy in front of it answers ${response.status}`);
    return new GatewayUnreachable(this.url, `what answers there (HTTP ${response.status}) is not a hyper2kvm gateway`);
  }
}

const jobPath = (id: string): string => `/api/v1/jobs/${encodeURIComponent(id)}`;

/** Why a request got no answer, in words. */
function reason(error: unknown, timeoutMs: number): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${timeoutMs / 1000} s`;
  let cause = error;
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause;
  // Several addresses were tried, each with its own reason.
  if (cause instanceof AggregateError && cause.errors.length > 0) cause = cause.errors[0];
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';
  const words: Record<string, string> = {
    ECONNREFUSED: 'the connection was refused: nothing listens there',
    ENOTFOUND: 'the host name is not known',
    EAI_AGAIN: 'the host name could not be looked up',
    ECONNRESET: 'the connection was cut',
    ETIMEDOUT: 'the connection timed out',
    EHOSTUNREACH: 'there is no route to the host',
    UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
    UND_ERR_HEADERS_TIMEOUT: 'no answer within 5 minutes',
    UND_ERR_SOCKET: 'the connection was cut',
  };
  return words[code] ?? (cause instanceof Error ? cause.message : String(cause));
}
