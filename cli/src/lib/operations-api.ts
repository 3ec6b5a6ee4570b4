import { RetentionReport } from '@hyper2kvm/contracts';
import type { Transport } from './transport.js';

/** A run removes up to some thousand things. */
const RUN_MS = 300_000;

/** What grows old. */
export class OperationsApi {
  readonly #http: Transport;
  constructor(http: Transport) {
    this.#http = http;
  }

  /** What the policy would remove now. */
  retention(): Promise<RetentionReport> {
    return this.#http.json(RetentionReport, 'GET', '/api/v1/retention', { leastMs: RUN_MS });
  }

  runRetention(): Promise<RetentionReport> {
    const body = { dry_run: false };
    return this.#http.json(RetentionReport, 'POST', '/api/v1/retention/run', { body, leastMs: RUN_MS });
  }
}
