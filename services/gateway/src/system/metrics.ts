import { Bus, counter, histogram, registry, summary } from '@hyper2kvm/runtime';
import { ErrorCode, ERRORS, PHASES, type Failure, type Phase } from '@hyper2kvm/contracts';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { JobRow } from '../database/index.js';
import type { Fact } from '../jobs/decide.js';
import type { RowPatch } from '../jobs/decision.js';
import { exposeBus } from './metrics-bus.js';
import { exposeDatabase } from './metrics-database.js';

/** How an attempt ended, in the seed's words. */
const OUTCOMES = ['success', 'failed'] as const;
const MOVING = ['export', 'conversion'] as const;
type Moving = (typeof MOVING)[number];

/** The seed's figures and what follows from facts: the gateway hears of every end of a phase, and takes each in once. */
@Injectable()
export class GatewayMetrics {
  readonly #ended = {
    export: counter<'status'>('hypervisord_exports_total', 'Export attempts that ended', { status: OUTCOMES }),
    conversion: counter<'status'>('hyper2kvm_conversions_total', 'Conversion attempts that ended', {
      status: OUTCOMES,
    }),
  };
  readonly #seconds = {
    export: summary('hypervisord_export_duration_seconds', 'Duration of completed exports'),
    conversion: summary('hyper2kvm_conversion_duration_seconds', 'Duration of completed conversions'),
  };
  readonly #bytes = counter('hypervisord_bytes_downloaded_total', 'Bytes fetched from sources by completed exports');
  readonly #phases = histogram<'phase' | 'status'>(
    'hyper2kvm_phase_duration_seconds',
    'Duration of attempts that ended, by phase and outcome',
    { phase: MOVING, status: OUTCOMES },
  );
  readonly #failures = counter<'phase' | 'code'>('hyper2kvm_failures_total', 'Attempts that failed, by the reason', {
    phase: PHASES,
    code: ErrorCode.options,
  });
  readonly #retries = counter<'phase' | 'code'>(
    'hyper2kvm_retries_total',
    'Attempts that are repeated by themselves, by the reason why the one before failed',
    { phase: MOVING, code: ErrorCode.options.filter((code) => ERRORS[code].retryable) },
  );

  constructor(bus: Bus, dataSource: DataSource) {
    const database = exposeDatabase(dataSource);
    exposeBus(bus, database);
  }

  /**
   * After a fact was taken in, and what it changes was written.
   * @param job as it was before
   * @param patch what became of it
   */
  count(fact: Fact, job: JobRow, patch: RowPatch): void {
    switch (fact.name) {
      case 'export.completed':
        this.#bytes.inc(fact.data.bytes_downloaded);
        return this.#completed('export', fact.data.duration_seconds);
      case 'conversion.completed':
        return this.#completed('conversion', fact.data.duration_seconds);
      case 'export.failed':
        return this.#failed('export', fact.data.failure, job.exportStartedAt, patch);
      case 'conversion.failed':
        return this.#failed('conversion', fact.data.failure, job.conversionStartedAt, patch);
      case 'cleanup.failed':
        this.#noteFailure('cleanup', fact.data.failure);
        return;
      case 'cleanup.completed':
      case 'conversion.started':
      case 'export.started':
      case 'import.completed':
      case 'import.failed':
      case 'verify.completed':
      case 'verify.failed':
    }
  }

  #completed(phase: Moving, seconds: number): void {
    this.#ended[phase].inc({ status: 'success' });
    this.#seconds[phase].observe(seconds);
    this.#phases.observe({ phase, status: 'success' }, seconds);
  }

  #failed(phase: Moving, failure: Failure, startedAt: Date | null, patch: RowPatch): void {
    this.#ended[phase].inc({ status: 'failed' });
    // The news of a start that is overtaken by that of the end: it failed at once.
    const ms = startedAt === null ? 0 : Math.max(0, Date.now() - startedAt.getTime());
    this.#phases.observe({ phase, status: 'failed' }, ms / 1000);
    const code = this.#noteFailure(phase, failure);
    // The time of the next attempt, where there is one.
    if (patch.nextRetryAt instanceof Date) this.#retries.inc({ phase, code });
  }

  #noteFailure(phase: Phase, failure: Failure): string {
    // A worker of a newer version may name what this one does not know.
    const code = ErrorCode.safeParse(failure.code).data ?? 'INTERNAL';
    this.#failures.inc({ phase, code });
    return code;
  }

  /** The text that Prometheus reads. */
  async text(): Promise<string> {
    return registry.metrics();
  }
}
