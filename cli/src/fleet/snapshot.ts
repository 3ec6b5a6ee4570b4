import type { JobSummary } from '@hyper2kvm/contracts';
import type { Model } from './model.js';
import { rowsOf } from './rows.js';

/** The fleet as one document; names and units as the gateway has them. */
export function snapshot(model: Model): Record<string, unknown> {
  const { details, health, hour, totals, workers, pages, batches, scope } = model;
  const jobs = (view: 'running' | 'waiting' | 'failed' | 'completed'): unknown[] =>
    rowsOf(model, view).flatMap((row) => (row.kind === 'job' ? [jobOf(row.job, details.get(row.id)?.job)] : []));
  return {
    time: new Date(model.seenAt ?? model.now).toISOString(),
    gateway: { url: model.gateway, context: model.context, version: model.version, health },
    scope: { batch: scope.batch ?? null, tag: scope.tag ?? null },
    totals,
    last_hour: hour === null ? null : { exports: hour.exports, bytes_per_second: hour.bytesPerSecond },
    eta_seconds: model.etaSeconds,
    workers,
    running: jobs('running'),
    waiting: { jobs: jobs('waiting'), more: pages.waiting.more },
    failed: { jobs: jobs('failed'), more: pages.failed.more },
    completed: { jobs: jobs('completed'), more: pages.completed.more },
    batches,
  };
}

type Detail = NonNullable<ReturnType<Model['details']['get']>>['job'];
const jobOf = (job: JobSummary, detail: Detail | undefined): unknown =>
  detail === undefined
    ? job
    : {
        ...job,
        progress: detail.progress,
        conversion: detail.conversion,
        queue_position: detail.queue_position,
        estimated_start: detail.estimated_start,
        waiting_reason: detail.waiting_reason,
        failure: detail.failure,
      };
