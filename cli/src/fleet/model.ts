import type {
  BatchSummary,
  Health,
  JobDetail,
  JobLog,
  JobStatus,
  JobSummary,
  WorkerHeartbeat,
} from '@hyper2kvm/contracts';

/** In the order of their keys, 1 to 6. */
export const VIEWS = ['running', 'waiting', 'failed', 'completed', 'batches', 'workers'] as const;
export type ViewName = (typeof VIEWS)[number];
export type JobView = 'running' | 'waiting' | 'failed' | 'completed';

export const STATUSES_OF: Readonly<Record<JobView, readonly JobStatus[]>> = {
  running: ['exporting', 'exported', 'converting'],
  waiting: ['pending'],
  failed: ['failed'],
  completed: ['completed'],
};

/** Which jobs are meant at all. */
export interface Scope {
  readonly batch?: string | undefined;
  /** How the user calls it. */
  readonly batchName?: string | undefined;
  readonly tag?: string | undefined;
}

export type Totals = Readonly<Record<JobStatus, number>>;

/** Jobs of one view, as far as they were asked for. */
export interface JobPage {
  readonly jobs: readonly JobSummary[];
  /** There are others behind them. */
  readonly more: boolean;
}

export type Action =
  | { readonly kind: 'cancel' | 'retry'; readonly jobId: string; readonly vm: string }
  | { readonly kind: 'pause' | 'resume'; readonly worker: string };

export type Tone = 'plain' | 'good' | 'bad';

/** The job that is open, with what is known of it. */
export interface OpenJob {
  readonly jobId: string;
  readonly vm: string;
  readonly job: JobDetail | null;
  readonly log: readonly JobLog[];
  /** Why nothing is known. */
  readonly error: string | null;
  /** Lines that lie above the screen. */
  readonly scroll: number;
}

/** All that is needed to draw the fleet; made by `newModel`, `reduce` and `onKey` alone. Times in ms since 1970. */
export interface Model {
  readonly gateway: string;
  readonly context: string | null;
  readonly readOnly: boolean;
  /** Of the command line; `scope` may be narrower. */
  readonly base: Scope;
  readonly scope: Scope;
  readonly now: number;
  /** When the last whole answer came. */
  readonly seenAt: number | null;
  /** When the question was asked that has no answer yet. */
  readonly askedAt: number | null;
  readonly trouble: { readonly message: string; readonly since: number } | null;
  readonly version: string | null;
  readonly health: Health | null;
  readonly totals: Totals | null;
  readonly workers: readonly WorkerHeartbeat[];
  /** Exports that were completed within the last hour, and the pace of their downloads. */
  readonly hour: { readonly exports: number; readonly bytesPerSecond: number | null } | null;
  /** Of the batch, by the gateway. */
  readonly etaSeconds: number | null;
  readonly pages: Readonly<Record<JobView, JobPage>>;
  readonly batches: readonly BatchSummary[];
  /** What the details of jobs said last, and when. */
  readonly details: ReadonlyMap<string, { readonly job: JobDetail; readonly at: number }>;
  readonly view: ViewName;
  readonly sorts: Readonly<Record<ViewName, number>>;
  readonly filter: string;
  readonly selected: Readonly<Record<ViewName, { readonly id: string | null; readonly index: number }>>;
  readonly asking: { readonly kind: 'filter' } | { readonly kind: 'confirm'; readonly action: Action } | null;
  readonly help: boolean;
  readonly open: OpenJob | null;
  readonly notice: { readonly text: string; readonly tone: Tone; readonly at: number } | null;
}

const NO_PAGE: JobPage = { jobs: [], more: false };
const each = <Value>(value: Value): Record<ViewName, Value> => ({
  running: value,
  waiting: value,
  failed: value,
  completed: value,
  batches: value,
  workers: value,
});

export const newModel = (
  start: Pick<Model, 'gateway' | 'context' | 'readOnly' | 'now'> & { readonly scope: Scope },
): Model => ({
  ...start,
  base: start.scope,
  seenAt: null,
  askedAt: null,
  trouble: null,
  version: null,
  health: null,
  totals: null,
  workers: [],
  hour: null,
  etaSeconds: null,
  pages: { running: NO_PAGE, waiting: NO_PAGE, failed: NO_PAGE, completed: NO_PAGE },
  batches: [],
  details: new Map(),
  view: 'running',
  sorts: each(0),
  filter: '',
  selected: each({ id: null, index: 0 }),
  asking: null,
  help: false,
  open: null,
  notice: null,
});

export const isJobView = (view: ViewName): view is JobView => view !== 'batches' && view !== 'workers';

/** Jobs that are not at their end. */
export const underWay = (totals: Totals): number => totals.exporting + totals.exported + totals.converting;
