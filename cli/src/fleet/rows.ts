import type { BatchSummary, JobSummary, WorkerHeartbeat } from '@hyper2kvm/contracts';
import { isJobView, type Model, type ViewName } from './model.js';

/** A line of a table. */
export type Row =
  | { readonly kind: 'job'; readonly id: string; readonly job: JobSummary }
  | { readonly kind: 'batch'; readonly id: string; readonly batch: BatchSummary }
  | { readonly kind: 'worker'; readonly id: string; readonly worker: WorkerHeartbeat };

type Order = (a: Row, b: Row, model: Model) => number;
interface Sort {
  /** The column's title, as it is marked. */
  readonly by: string;
  readonly order: Order;
}

const text = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const LANE_PLACE = { high: 0, normal: 1, low: 2 };

const ofJobs =
  (order: (a: JobSummary, b: JobSummary, model: Model) => number): Order =>
  (a, b, model) =>
    a.kind === 'job' && b.kind === 'job' ? order(a.job, b.job, model) : 0;
const ofBatches =
  (order: (a: BatchSummary, b: BatchSummary) => number): Order =>
  (a, b) =>
    a.kind === 'batch' && b.kind === 'batch' ? order(a.batch, b.batch) : 0;
const ofWorkers =
  (order: (a: WorkerHeartbeat, b: WorkerHeartbeat) => number): Order =>
  (a, b) =>
    a.kind === 'worker' && b.kind === 'worker' ? order(a.worker, b.worker) : 0;

const byVm = ofJobs((a, b) => text(a.vm_name, b.vm_name));
const oldest = ofJobs((a, b) => text(a.created_at, b.created_at));
/** A missing end is the newest of all. */
const lastEnded = ofJobs((a, b) => text(b.completed_at ?? '9', a.completed_at ?? '9'));
const furthest = ofJobs((a, b) => b.percent_complete - a.percent_complete);
const etaOf = (job: JobSummary, { details }: Model): number =>
  details.get(job.job_id)?.job.progress.eta_seconds ?? Infinity;
const codeOf = (job: JobSummary, { details }: Model): string => details.get(job.job_id)?.job.failure?.code ?? '~';
const took = (job: JobSummary): number =>
  job.completed_at === null ? 0 : Date.parse(job.completed_at) - Date.parse(job.created_at);

/** The first one is the one that a view begins with; `s` takes the next one. */
export const SORTS: Readonly<Record<ViewName, readonly [Sort, ...Sort[]]>> = {
  running: [
    { by: 'AGE', order: oldest },
    { by: 'DONE', order: furthest },
    { by: 'ETA', order: ofJobs((a, b, model) => Math.min(etaOf(a, model), 1e12) - Math.min(etaOf(b, model), 1e12)) },
    { by: 'VM', order: byVm },
    { by: 'STATUS', order: ofJobs((a, b) => text(a.status, b.status)) },
  ],
  waiting: [
    { by: 'PRIO', order: ofJobs((a, b) => LANE_PLACE[a.priority] - LANE_PLACE[b.priority]) },
    { by: 'VM', order: byVm },
    { by: 'AGE', order: oldest },
  ],
  failed: [
    { by: 'ENDED', order: lastEnded },
    { by: 'CODE', order: ofJobs((a, b, model) => text(codeOf(a, model), codeOf(b, model))) },
    { by: 'VM', order: byVm },
  ],
  completed: [
    { by: 'ENDED', order: lastEnded },
    { by: 'TOOK', order: ofJobs((a, b) => took(b) - took(a)) },
    { by: 'VM', order: byVm },
  ],
  batches: [
    { by: 'AGE', order: ofBatches((a, b) => text(b.created_at, a.created_at)) },
    { by: 'DONE', order: ofBatches((a, b) => b.percent_complete - a.percent_complete) },
    { by: 'BATCH', order: ofBatches((a, b) => text(a.name ?? a.batch_id, b.name ?? b.batch_id)) },
  ],
  workers: [
    { by: 'WORKER', order: ofWorkers((a, b) => text(b.service, a.service)) },
    { by: 'FREE', order: ofWorkers((a, b) => (a.disk_free_bytes ?? Infinity) - (b.disk_free_bytes ?? Infinity)) },
    { by: 'SLOTS', order: ofWorkers((a, b) => b.active_jobs.length - a.active_jobs.length) },
  ],
};

export const sortOf = (model: Model, view: ViewName): Sort => {
  const sorts = SORTS[view];
  return sorts[model.sorts[view] % sorts.length] ?? sorts[0];
};

const jobRow = (job: JobSummary): Row => ({ kind: 'job', id: job.job_id, job });

function all(model: Model, view: ViewName): Row[] {
  if (isJobView(view)) return model.pages[view].jobs.map(jobRow);
  if (view === 'batches') return model.batches.map((batch) => ({ kind: 'batch', id: batch.batch_id, batch }));
  // An exporter and a converter may bear one id.
  return model.workers.map((worker) => ({ kind: 'worker', id: `${worker.service}/${worker.worker_id}`, worker }));
}

function words(row: Row, { details }: Model): readonly (string | null | undefined)[] {
  switch (row.kind) {
    case 'job': {
      const { job_id, vm_name, status, error, tags, batch_id, wave, requested_by, vcenter_server } = row.job;
      const code = details.get(job_id)?.job.failure?.code;
      return [vm_name, job_id, status, error, code, batch_id, wave, requested_by, vcenter_server, ...tags];
    }
    case 'batch':
      return [row.batch.batch_id, row.batch.name, row.batch.status, row.batch.requested_by];
    case 'worker':
      return [row.worker.worker_id, row.worker.service, row.worker.host, ...row.worker.pools];
  }
}

/** The lines of a view, filtered and sorted. */
export function rowsOf(model: Model, view: ViewName = model.view): Row[] {
  const wanted = model.filter.toLowerCase();
  const rows = all(model, view);
  const kept =
    wanted === ''
      ? rows
      : rows.filter((row) => words(row, model).some((word) => word?.toLowerCase().includes(wanted) === true));
  const { order } = sortOf(model, view);
  // Equal ones keep one place, so that nothing jumps.
  return kept.toSorted((a, b) => order(a, b, model) || oldest(a, b, model) || text(a.id, b.id));
}

/** Where the selection is among these rows; -1 where there are none. */
export function placeOf(model: Model, rows: readonly Row[]): number {
  const { id, index } = model.selected[model.view];
  const place = id === null ? -1 : rows.findIndex((row) => row.id === id);
  return place >= 0 ? place : Math.min(index, rows.length - 1);
}

export function selectedRow(model: Model): Row | undefined {
  const rows = rowsOf(model);
  return rows[placeOf(model, rows)];
}

/** The part of the rows that is to be seen; the selection stays in its middle. */
export function windowOf(
  model: Model,
  rows: readonly Row[],
  height: number,
): { readonly from: number; readonly shown: readonly Row[]; readonly place: number } {
  const place = placeOf(model, rows);
  const from = Math.max(0, Math.min(place - Math.floor(height / 2), rows.length - height));
  return { from, shown: rows.slice(from, from + height), place };
}
