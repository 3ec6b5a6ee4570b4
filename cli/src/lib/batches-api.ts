import {
  BatchAccepted,
  BatchDetail,
  BatchList,
  BatchReport,
  type BatchPatch,
  type BatchRequest,
  type BatchStatus,
  type BatchSummary,
} from '@hyper2kvm/contracts';
import type { z } from 'zod';
import { paged } from './paged.js';
import type { Transport } from './transport.js';

export type BatchBody = z.input<typeof BatchRequest>;

/** Thousands of jobs are made, changed or reported at once. */
const MANY_MS = 120_000;

/** Many VMs as one plan. */
export class BatchesApi {
  readonly #http: Transport;
  constructor(http: Transport) {
    this.#http = http;
  }

  create(body: BatchBody): Promise<BatchAccepted> {
    return this.#http.json(BatchAccepted, 'POST', '/api/v1/batches', { body, leastMs: MANY_MS });
  }

  /** Newest first. */
  list(status: BatchStatus | undefined, limit?: number): Promise<BatchSummary[]> {
    return paged({ status }, limit, async (search) => {
      const page = await this.#http.json(BatchList, 'GET', `/api/v1/batches?${search}`);
      return { items: page.batches, next: page.next_cursor };
    });
  }

  one(id: string): Promise<BatchDetail> {
    return this.#http.json(BatchDetail, 'GET', pathOf(id));
  }

  change(id: string, body: z.input<typeof BatchPatch>): Promise<BatchDetail> {
    return this.#http.json(BatchDetail, 'PATCH', pathOf(id), { body, leastMs: MANY_MS });
  }

  cancel(id: string): Promise<BatchDetail> {
    return this.#http.json(BatchDetail, 'DELETE', pathOf(id), { leastMs: MANY_MS });
  }

  resume(id: string): Promise<BatchDetail> {
    return this.#http.json(BatchDetail, 'POST', `${pathOf(id)}/resume`, { leastMs: MANY_MS });
  }

  report(id: string): Promise<BatchReport> {
    return this.#http.json(BatchReport, 'GET', `${pathOf(id)}/report`, { leastMs: MANY_MS });
  }

  reportCsv(id: string): Promise<string> {
    return this.#http.text('GET', `${pathOf(id)}/report?format=csv`, 'text/csv');
  }
}

const pathOf = (id: string): string => `/api/v1/batches/${encodeURIComponent(id)}`;
