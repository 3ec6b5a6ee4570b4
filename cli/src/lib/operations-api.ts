import {
  AttemptList,
  DeadLetterDetail,
  DeadLetterList,
  DeadLetterResent,
  RetentionReport,
  Stats,
  Timeline,
  type Attempt,
  type DeadLetter,
  type TimelineEvent,
} from '@hyper2kvm/contracts';
import { paged } from './paged.js';
import type { Transport } from './transport.js';

/** A run removes up to some thousand things. */
const RUN_MS = 300_000;
/** Figures of a year and of some hundred thousand jobs are counted anew each time. */
const STATS_MS = 60_000;

/** Figures, what happened, what went wrong, and what grows old. */
export class OperationsApi {
  readonly #http: Transport;
  constructor(http: Transport) {
    this.#http = http;
  }

  /** @param since RFC 3339; the gateway's default is 30 days ago */
  stats(since?: string): Promise<Stats> {
    const query = since === undefined ? '' : `?${new URLSearchParams({ since }).toString()}`;
    return this.#http.json(Stats, 'GET', `/api/v1/stats${query}`, { leastMs: STATS_MS });
  }

  /** Figures for Prometheus. */
  metrics(): Promise<string> {
    return this.#http.text('GET', '/metrics', 'text/plain');
  }

  /** Oldest first. */
  async timeline(job: string): Promise<readonly TimelineEvent[]> {
    return (await this.#http.json(Timeline, 'GET', `/api/v1/jobs/${encodeURIComponent(job)}/timeline`)).events;
  }

  /** Oldest first. */
  async attempts(job: string): Promise<readonly Attempt[]> {
    return (await this.#http.json(AttemptList, 'GET', `/api/v1/jobs/${encodeURIComponent(job)}/attempts`)).attempts;
  }

  /** Newest first, and how many there are in all. */
  async deadLetters(limit?: number): Promise<{ letters: DeadLetter[]; total: number }> {
    let total = 0;
    const letters = await paged({}, limit, async (search) => {
      const page = await this.#http.json(DeadLetterList, 'GET', `/api/v1/dead-letters?${search}`);
      ({ total } = page);
      return { items: page.dead_letters, next: page.next_cursor };
    });
    return { letters, total };
  }

  deadLetter(id: string): Promise<DeadLetterDetail> {
    return this.#http.json(DeadLetterDetail, 'GET', letterPath(id));
  }

  resend(id: string): Promise<DeadLetterResent> {
    return this.#http.json(DeadLetterResent, 'POST', `${letterPath(id)}/resend`);
  }

  discard(id: string): Promise<void> {
    return this.#http.done('DELETE', letterPath(id));
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

const letterPath = (id: string): string => `/api/v1/dead-letters/${encodeURIComponent(id)}`;
