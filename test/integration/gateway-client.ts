/** A caller of the gateway's API, for tests. */
import { ConvertAccepted, JobDetail, Problem, type JobStatus } from '@hyper2kvm/contracts';
import { expect } from 'vitest';
import { until, type Gateway } from './gateway-stack.js';

const VCENTER = { server: 'vc.example.com', username: 'automation@vsphere.local', password: 'a-password' };

export class Client {
  constructor(private readonly gateway: Gateway) {}

  send(method: string, path: string, body?: unknown): Promise<Response> {
    return fetch(this.gateway.url + path, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
  }

  /** Asks for a job; its id. */
  async convert(vm: string, options: object = {}, rest: object = { vcenter: VCENTER }): Promise<string> {
    const response = await this.send('POST', '/api/v1/convert', { vm_name: vm, options, ...rest });
    const body: unknown = await response.json();
    expect(response.status, JSON.stringify(body)).toBe(202);
    return ConvertAccepted.parse(body).job_id;
  }

  async job(id: string): Promise<JobDetail> {
    return JobDetail.parse(await (await this.send('GET', `/api/v1/jobs/${id}`)).json());
  }

  /** The job once it is as wanted. */
  when(id: string, wanted: (job: JobDetail) => boolean): Promise<JobDetail> {
    return until(async () => this.job(id), wanted, 60_000);
  }

  reaches(id: string, status: JobStatus): Promise<JobDetail> {
    return this.when(id, (job) => job.status === status);
  }

  /** A refusal, as the contract says. */
  async refused(answer: Promise<Response>): Promise<Problem> {
    const response = await answer;
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    const problem = Problem.parse(await response.json());
    expect(problem.status).toBe(response.status);
    return problem;
  }
}

/** Something that waits until it is let go. */
export class Gate {
  readonly #opened = new AbortController();
  open(): void {
    this.#opened.abort();
  }
  /** @param signal ends the wait with its reason */
  async passed(signal?: AbortSignal): Promise<void> {
    const both = AbortSignal.any([this.#opened.signal, ...(signal === undefined ? [] : [signal])]);
    if (!both.aborted) await new Promise((resolve) => both.addEventListener('abort', resolve, { once: true }));
    signal?.throwIfAborted();
  }
}
