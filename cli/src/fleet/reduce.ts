import {
  JOB_STATUSES,
  type BatchSummary,
  type Health,
  type JobDetail,
  type JobLog,
  type JobSummary,
  type Status,
} from '@hyper2kvm/contracts';
import { STATUSES_OF, type JobPage, type JobView, type Model, type Tone, type Totals } from './model.js';
import { placeOf, rowsOf } from './rows.js';

/** What a look at the gateway brought; what was not asked for is missing. */
export interface Look {
  readonly status?: Status;
  /** Of the scope, where it is not the whole fleet. */
  readonly totals?: Totals;
  readonly health?: Health;
  readonly hour?: Model['hour'];
  readonly etaSeconds?: number | null;
  readonly pages?: Partial<Record<JobView, JobPage>>;
  readonly batches?: readonly BatchSummary[];
  readonly details?: readonly JobDetail[];
  readonly open?: {
    readonly jobId: string;
    readonly job?: JobDetail;
    readonly log?: readonly JobLog[];
    error?: string;
  };
}

export type FleetEvent =
  | { readonly type: 'looked'; readonly look: Look }
  /** The gateway is gone, or cannot answer; `health` may still tell why. */
  | { readonly type: 'trouble'; readonly message: string; readonly health?: Health }
  /** What became of an action. */
  | { readonly type: 'told'; readonly text: string; readonly tone: Tone }
  /** The gateway is being asked. */
  | { readonly type: 'asked' }
  | { readonly type: 'tick' };

/** A night sees thousands of jobs end: of the ones that are in no list, nothing is kept. */
const MOST_ENDED = 500;
/** The gateway and the notifier tell of themselves too. */
const MOVERS = new Set(['exporter', 'converter']);
const NOTICE_MS = 8_000;

/** The next state. `now` in ms since 1970. */
export function reduce(before: Model, event: FleetEvent, now: number): Model {
  const fresh = before.notice !== null && now - before.notice.at < NOTICE_MS;
  const model: Model = { ...before, now, notice: fresh ? before.notice : null };
  switch (event.type) {
    case 'looked':
      return settle(onLook(model, event.look, now));
    case 'trouble':
      return {
        ...model,
        health: event.health ?? null,
        askedAt: null,
        trouble: { message: event.message, since: model.trouble?.since ?? model.askedAt ?? now },
      };
    case 'told':
      return { ...model, notice: { text: event.text, tone: event.tone, at: now } };
    case 'asked':
      return { ...model, askedAt: now };
    case 'tick':
      return model;
  }
}

const noTotals = (): Record<string, number> => Object.fromEntries(JOB_STATUSES.map((status) => [status, 0]));

function onLook(before: Model, look: Look, now: number): Model {
  let model: Model = { ...before, trouble: null, askedAt: null, seenAt: now };
  const { status, open } = look;
  if (status !== undefined)
    model = {
      ...model,
      version: status.version,
      workers: status.workers.filter(({ service }) => MOVERS.has(service)),
      totals: isWhole(model) ? ({ ...noTotals(), ...status.jobs } as Totals) : model.totals,
    };
  if (look.totals !== undefined) model = { ...model, totals: look.totals };
  if (look.health !== undefined) model = { ...model, health: look.health };
  if (look.hour !== undefined) model = { ...model, hour: look.hour };
  if (look.etaSeconds !== undefined) model = { ...model, etaSeconds: look.etaSeconds };
  if (look.batches !== undefined) model = { ...model, batches: look.batches };
  const details = new Map(model.details);
  for (const job of look.details ?? []) details.set(job.job_id, { job, at: now });
  if (open?.job !== undefined) details.set(open.jobId, { job: open.job, at: now });
  model = { ...model, details, pages: placed(model, look) };
  model = { ...model, details: kept(model) };
  if (open === undefined || model.open?.jobId !== open.jobId) return model;
  const { job = model.open.job, log = model.open.log, error = null } = open;
  return { ...model, open: { ...model.open, job, log, error } };
}

export const isWhole = ({ scope }: Model): boolean => scope.batch === undefined && scope.tag === undefined;

/** Lists as they were answered, corrected by what is known better of single jobs: none stands in two of them. */
function placed(model: Model, look: Look): Model['pages'] {
  const newest = new Map<string, JobSummary>();
  const told = [...Object.values(look.pages ?? {}).flatMap((page) => page.jobs), ...(look.details ?? [])];
  for (const job of told) if ((newest.get(job.job_id)?.updated_at ?? '') <= job.updated_at) newest.set(job.job_id, job);
  const page = (view: JobView): JobPage => {
    const asked = look.pages?.[view];
    const old = model.pages[view];
    const belongs = (job: JobSummary): boolean => STATUSES_OF[view].includes(job.status);
    // Where the answer was not the whole list, ones that were seen to end stay: the list begins with the newest by their making.
    const base =
      asked === undefined ? old.jobs : asked.more && isEndView(view) ? [...asked.jobs, ...old.jobs] : asked.jobs;
    const jobs = new Map<string, JobSummary>();
    for (const job of base) {
      const now = newest.get(job.job_id) ?? job;
      if (belongs(now) && !jobs.has(now.job_id)) jobs.set(now.job_id, now);
    }
    if (isEndView(view)) for (const job of look.details ?? []) if (belongs(job)) jobs.set(job.job_id, job);
    const more = asked?.more ?? old.more;
    return { jobs: isEndView(view) ? lastEnded([...jobs.values()], asked) : [...jobs.values()], more };
  };
  return { running: page('running'), waiting: page('waiting'), failed: page('failed'), completed: page('completed') };
}

const isEndView = (view: JobView): boolean => view === 'failed' || view === 'completed';

const lastEnded = (jobs: JobSummary[], asked: JobPage | undefined): JobSummary[] =>
  jobs
    .toSorted((a, b) => (b.completed_at ?? '9').localeCompare(a.completed_at ?? '9'))
    .slice(0, Math.max(MOST_ENDED, asked?.jobs.length ?? 0));

function kept({ details, pages, open }: Model): Model['details'] {
  const ids = new Set(Object.values(pages).flatMap((page) => page.jobs.map((job) => job.job_id)));
  return new Map([...details].filter(([id]) => ids.has(id) || id === open?.jobId));
}

/** The selection stays with its job; where that has gone, with its place. */
function settle(model: Model): Model {
  const rows = rowsOf(model);
  const place = placeOf(model, rows);
  const { id } = model.selected[model.view];
  // Nobody has moved it: it stays at the top, whatever is there.
  if (id === null) return model;
  const selected = { id: rows[place]?.id ?? null, index: Math.max(0, place) };
  return { ...model, selected: { ...model.selected, [model.view]: selected } };
}
