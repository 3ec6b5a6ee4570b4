import { isEnded, type BatchDetail, type BatchTotals, type JobStatus, type JobSummary } from '@hyper2kvm/contracts';

/** A look at a batch. */
export interface BatchLook {
  readonly detail: BatchDetail;
  /** All of its jobs, or of a large batch those under way alone. */
  readonly jobs: readonly JobSummary[];
}

type WaveState = 'waiting' | 'held' | 'running' | 'completed';

/** Something that is worth a line. */
export type BatchHappened =
  | { readonly kind: 'batch'; readonly detail: BatchDetail }
  /** `name` is null where the batch has no other wave; `reason`: why none of it runs though its turn has come. */
  | {
      readonly kind: 'wave';
      readonly name: string | null;
      readonly status: 'held' | 'running' | 'completed';
      readonly reason: string | null;
    }
  | { readonly kind: 'job'; readonly job: JobSummary; readonly again: boolean }
  | { readonly kind: 'lost' }
  | { readonly kind: 'restored' };

/** All that is needed to draw a batch; made by the functions below alone. */
export interface BatchView {
  readonly detail: BatchDetail | null;
  readonly jobs: ReadonlyMap<string, JobSummary>;
  /** Waves by their names, as they were told last. */
  readonly waves: ReadonlyMap<string, WaveState>;
  readonly happened: readonly { readonly at: number; readonly what: BatchHappened }[];
  readonly lost: boolean;
  /** It was made just now: whatever is not waiting any more has happened since. */
  readonly fresh: boolean;
}

export const NO_BATCH: BatchView = {
  detail: null,
  jobs: new Map(),
  waves: new Map(),
  happened: [],
  lost: false,
  fresh: false,
};

const add = (view: BatchView, at: number, ...what: BatchHappened[]): BatchView => ({
  ...view,
  happened: [...view.happened, ...what.map((item) => ({ at, what: item }))],
});

/** The view after a look. The first one tells of the batch and of what is under way; `now` in ms since 1970. */
export function onLook(before: BatchView, { detail, jobs }: BatchLook, now: number): BatchView {
  const old = before.detail;
  const held = detail.reason !== null && detail.reason !== old?.reason;
  const batch: BatchHappened[] =
    old === null || old.status !== detail.status || held ? [{ kind: 'batch', detail }] : [];
  const waves = new Map(detail.waves.map((wave) => [wave.name, stateOf(wave)] as const));
  const waveLines: BatchHappened[] = [];
  const several = detail.waves.length > 1;
  for (const { name, reason } of detail.waves) {
    const status = waves.get(name) ?? 'waiting';
    if (status === 'waiting' || before.waves.get(name) === status || (status === 'completed' && old === null)) continue;
    // Of a single wave it is worth a line only that it waits.
    if (several || status === 'held')
      waveLines.push({ kind: 'wave', name: several ? name : null, status, reason: status === 'held' ? reason : null });
  }
  const known = new Map(before.jobs);
  const ends: BatchHappened[] = [];
  const steps: BatchHappened[] = [];
  for (const job of jobs.toSorted((a, b) => a.updated_at.localeCompare(b.updated_at))) {
    const last = known.get(job.job_id);
    known.set(job.job_id, job);
    const again = last !== undefined && job.status === 'pending' && job.retry_count > last.retry_count;
    const moved = last === undefined ? old === null && isNew(job.status, before.fresh) : last.status !== job.status;
    if (moved || again) (isEnded(job.status) ? ends : steps).push({ kind: 'job', job, again });
  }
  // As it came about: VMs end, then waves, then the next ones begin; what became of the whole is last.
  const told = old === null ? [...batch, ...waveLines, ...ends, ...steps] : [...ends, ...waveLines, ...steps, ...batch];
  return add({ ...before, detail, jobs: known, waves }, now, ...told);
}

/** `held`: its turn has come, but none of its VMs runs, for their own times (a window, a retry that is due later) hold them. */
const stateOf = ({ status, reason }: BatchDetail['waves'][number]): WaveState =>
  status === 'running' && reason !== null ? 'held' : status;

export const onConnection = (before: BatchView, state: 'lost' | 'restored', now: number): BatchView =>
  add({ ...before, lost: state === 'lost' }, now, { kind: state });

export const isRunning = (status: JobStatus): boolean =>
  status === 'exporting' || status === 'exported' || status === 'converting';

const isNew = (status: JobStatus, fresh: boolean): boolean => (fresh ? status !== 'pending' : isRunning(status));

/** Jobs under way, the ones that have been for longest first. */
export const running = (view: BatchView): JobSummary[] =>
  [...view.jobs.values()]
    .filter(({ status }) => isRunning(status))
    .toSorted((a, b) => a.created_at.localeCompare(b.created_at) || a.vm_name.localeCompare(b.vm_name));

/** Jobs that came to a bad end, by the names of their VMs. */
export const unhappy = (jobs: Iterable<JobSummary>): JobSummary[] =>
  [...jobs]
    .filter(({ status }) => status === 'failed' || status === 'cancelled')
    .toSorted((a, b) => a.status.localeCompare(b.status) * -1 || a.vm_name.localeCompare(b.vm_name));

/** Nothing new begins until somebody does something: it stopped, or a wave waits for one of which VMs failed. */
export const isHeld = ({ status, reason }: BatchDetail): boolean =>
  status === 'stopped' || (status === 'running' && reason !== null);

/** Nothing of it will change any more; what a large batch that is cancelled has left is cancelled bit by bit. */
export const isOver = ({ status, totals }: BatchDetail): boolean =>
  status === 'completed' || (status === 'cancelled' && totals.pending + totals.exporting + totals.converting === 0);

/** `12 of 30 done, 1 failed, 4 running, 13 waiting` */
export function totalsWord(totals: BatchTotals): string {
  const under = totals.exporting + totals.exported + totals.converting;
  return [
    `${totals.completed} of ${totals.total} done`,
    ...part(totals.failed, 'failed'),
    ...part(totals.cancelled, 'cancelled'),
    ...part(under, 'running'),
    ...part(totals.pending, 'waiting'),
  ].join(', ');
}

const part = (count: number, word: string): string[] => (count === 0 ? [] : [`${count} ${word}`]);
