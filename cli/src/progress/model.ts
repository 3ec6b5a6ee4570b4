import type {
  ConversionStep,
  ConvertAccepted,
  DiskProgress,
  Failure,
  JobDetail,
  JobLog,
  JobProgress,
} from '@hyper2kvm/contracts';

/** Something that happened once and stays true: the lines that scroll away above the moving part. Times in ms since 1970. */
export type Happened =
  | { readonly kind: 'started'; readonly jobId: string; readonly vm: string }
  | { readonly kind: 'connected'; readonly server: string }
  | { readonly kind: 'found'; readonly vm: string; readonly disks: number; readonly bytes: number }
  | { readonly kind: 'phase'; readonly number: 1 | 2 | 3 | 4 | 5; readonly title: string }
  | { readonly kind: 'waiting'; readonly queue: 'export' | 'conversion'; readonly position: number | null }
  | { readonly kind: 'export started' }
  | { readonly kind: 'disk'; readonly disk: DiskProgress; readonly total: number; readonly seconds: number | null }
  | { readonly kind: 'exported'; readonly seconds: number | null; readonly bytes: number }
  | { readonly kind: 'conversion started' }
  | { readonly kind: 'step'; readonly step: ConversionStep; readonly seconds: number }
  | { readonly kind: 'resumed'; readonly done: number; readonly total: number }
  | { readonly kind: 'log'; readonly log: JobLog }
  | { readonly kind: 'converted'; readonly seconds: number | null }
  | { readonly kind: 'cleaned' }
  | { readonly kind: 'retry'; readonly failure: Failure | null; readonly at: string; readonly count: number }
  | { readonly kind: 'lost' }
  | { readonly kind: 'restored' };

export interface DiskView extends DiskProgress {
  /** When its first byte was seen; null while it waits. */
  readonly startedAt: number | null;
  /** Of the last seconds: what rate and ETA are made from. */
  readonly samples: readonly { readonly at: number; readonly bytes: number }[];
}

export type Stage =
  'connecting' | 'waiting for export' | 'exporting' | 'waiting for conversion' | 'converting' | 'ended';

/** All that is needed to draw the state of a job; made by `reduce` alone. */
export interface Model {
  readonly stage: Stage;
  readonly jobId: string;
  readonly vm: string;
  readonly server: string;
  readonly happened: readonly { readonly at: number; readonly what: Happened }[];
  readonly disks: readonly DiskView[];
  readonly attempt: number;
  readonly queuePosition: number | null;
  readonly step: { readonly name: ConversionStep; readonly since: number } | null;
  readonly steps: { readonly done: number; readonly total: number } | null;
  readonly job: JobDetail | null;
  readonly lost: boolean;
  /** RFC 3339; older log lines were before we came. */
  readonly since: string | null;
}

export type ViewEvent =
  | { readonly type: 'accepted'; readonly accepted: ConvertAccepted; readonly server: string }
  | { readonly type: 'job' | 'end'; readonly job: JobDetail }
  | { readonly type: 'progress'; readonly progress: JobProgress }
  | { readonly type: 'log'; readonly log: JobLog }
  | { readonly type: 'connection'; readonly state: 'lost' | 'restored' };

export const EMPTY: Model = {
  stage: 'connecting',
  jobId: '',
  vm: '',
  server: '',
  happened: [],
  disks: [],
  attempt: 0,
  queuePosition: null,
  step: null,
  steps: null,
  job: null,
  lost: false,
  since: null,
};

/** Rates are taken over this long. */
const RATE_WINDOW_MS = 10_000;

const add = (model: Model, at: number, ...what: Happened[]): Model => ({
  ...model,
  happened: [...model.happened, ...what.map((item) => ({ at, what: item }))],
});

/** The next state after an event. `now` in ms since 1970. */
export function reduce(model: Model, event: ViewEvent, now: number): Model {
  switch (event.type) {
    case 'accepted':
      return onAccepted(model, event.accepted, event.server, now);
    case 'job':
      return onJob(model, event.job, now);
    case 'end':
      return onEnd(onJob(model, event.job, now), event.job, now);
    case 'progress':
      return onProgress(model, event.progress, now);
    case 'log':
      return onLog(model, event.log);
    case 'connection':
      return add({ ...model, lost: event.state === 'lost' }, now, { kind: event.state });
  }
}

function onAccepted(model: Model, accepted: ConvertAccepted, server: string, now: number): Model {
  const bytes = accepted.disks.reduce((sum, disk) => sum + disk.capacity_bytes, 0);
  return add(
    { ...model, jobId: accepted.job_id, vm: accepted.vm_name, server, stage: 'connecting' },
    now,
    { kind: 'started', jobId: accepted.job_id, vm: accepted.vm_name },
    { kind: 'phase', number: 1, title: 'Connecting to vSphere' },
    { kind: 'connected', server },
    { kind: 'found', vm: accepted.vm_name, disks: accepted.disks.length, bytes },
  );
}

function onJob(before: Model, job: JobDetail, now: number): Model {
  let model: Model = { ...before, job, jobId: job.job_id, vm: job.vm_name, server: job.vcenter_server };
  if (model.happened.length === 0) {
    model = add({ ...model, since: job.updated_at }, now, { kind: 'started', jobId: job.job_id, vm: job.vm_name });
  }
  if (job.progress.disks.length > 0 && model.disks.length === 0) model = withDisks(model, job.progress.disks, now);
  switch (job.status) {
    case 'pending':
      model = enter(model, 'waiting for export', now);
      break;
    case 'exporting':
      model = enter(model, 'exporting', now);
      break;
    case 'exported':
      model = enter(model, 'waiting for conversion', now);
      break;
    case 'converting':
      model = enter(model, 'converting', now);
      break;
    case 'failed':
    case 'completed':
    case 'cancelled':
      break;
  }
  if (job.status === 'failed' && job.next_retry_at !== null && before.job?.next_retry_at !== job.next_retry_at) {
    model = add(model, now, { kind: 'retry', failure: job.failure, at: job.next_retry_at, count: job.retry_count + 1 });
    model = { ...model, disks: [], step: null, steps: null };
  }
  return onPosition(model, job, now);
}

function onPosition(model: Model, job: JobDetail, now: number): Model {
  const queue = job.status === 'pending' ? 'export' : 'conversion';
  const waits = job.status === 'pending' || job.status === 'exported';
  if (!waits || job.queue_position === null) return waits ? model : { ...model, queuePosition: null };
  if (job.queue_position === model.queuePosition) return model;
  const next = { ...model, queuePosition: job.queue_position };
  // To be the next one is not worth a line: that is how every job starts.
  return job.queue_position > 1 || model.queuePosition !== null
    ? add(next, now, { kind: 'waiting', queue, position: job.queue_position })
    : next;
}

const ORDER: readonly Stage[] = [
  'connecting',
  'waiting for export',
  'exporting',
  'waiting for conversion',
  'converting',
  'ended',
];

/** Moves to a stage, telling each one that lies between: facts may overtake each other. A retry goes back. */
function enter(model: Model, stage: Stage, now: number): Model {
  if (model.stage === stage) return model;
  const from = ORDER.indexOf(model.stage);
  const to = ORDER.indexOf(stage);
  if (to < from) {
    const back: Model = { ...model, stage, disks: to <= 2 ? [] : model.disks, step: null, steps: null };
    return stage === 'waiting for conversion' ? add(back, now, QUEUED) : tell(back, stage, now);
  }
  let next: Model = model;
  for (const passed of ORDER.slice(from + 1, to + 1)) next = tell({ ...next, stage: passed }, passed, now);
  return next;
}

const QUEUED: Happened = { kind: 'phase', number: 3, title: 'Queued for conversion' };

function tell(model: Model, stage: Stage, now: number): Model {
  switch (stage) {
    case 'connecting':
    case 'ended':
      return model;
    case 'waiting for export':
      return add(model, now, { kind: 'phase', number: 2, title: 'Exporting from vSphere' });
    case 'exporting':
      return add(model, now, { kind: 'export started' });
    case 'waiting for conversion':
      return add(
        finishDisks(model, now),
        now,
        {
          kind: 'exported',
          seconds: model.job?.export.duration_seconds ?? null,
          bytes: model.job?.export.bytes_downloaded ?? 0,
        },
        QUEUED,
      );
    case 'converting':
      return add(
        { ...model, queuePosition: null },
        now,
        { kind: 'conversion started' },
        { kind: 'phase', number: 4, title: 'Converting to KVM' },
      );
  }
}

function onProgress(before: Model, progress: JobProgress, now: number): Model {
  if (before.stage === 'ended' || (progress.phase === 'export' && before.stage === 'converting')) return before;
  const fresh = progress.attempt > before.attempt && before.attempt > 0;
  let model: Model = { ...before, attempt: progress.attempt, ...(fresh ? { disks: [], step: null } : {}) };
  if (progress.phase === 'export') {
    model = enter(model, 'exporting', now);
    return withDisks(model, progress.disks ?? [], now);
  }
  if (progress.phase !== 'conversion') return model;
  model = enter(model, 'converting', now);
  const total = progress.steps_total ?? model.steps?.total ?? 0;
  const done = progress.steps_completed ?? model.steps?.done ?? 0;
  if (model.step === null && model.steps === null && done > 0)
    model = add(model, now, { kind: 'resumed', done, total });
  model = { ...model, steps: { done, total } };
  if (progress.step === undefined || progress.step === model.step?.name) return model;
  return { ...finishStep(model, now), step: { name: progress.step, since: now } };
}

const finishStep = (model: Model, now: number): Model =>
  model.step === null
    ? model
    : add({ ...model, step: null }, now, {
        kind: 'step',
        step: model.step.name,
        seconds: (now - model.step.since) / 1000,
      });

function withDisks(model: Model, disks: readonly DiskProgress[], now: number): Model {
  let next = model;
  for (const disk of disks) {
    const known = next.disks.find(({ index }) => index === disk.index);
    const startedAt = known?.startedAt ?? (disk.state === 'waiting' ? null : now);
    const samples = [...(known?.samples ?? []), { at: now, bytes: disk.done_bytes }];
    const view: DiskView = { ...disk, startedAt, samples: samples.filter(({ at }) => at >= now - RATE_WINDOW_MS) };
    next = { ...next, disks: [...next.disks.filter(({ index }) => index !== disk.index), view] };
    if (disk.state === 'done' && known?.state !== 'done') {
      // One that was done when we came took nobody knows how long.
      const seconds = known?.startedAt == null ? null : (now - known.startedAt) / 1000;
      next = add(next, now, { kind: 'disk', disk, total: disks.length, seconds });
    }
  }
  return { ...next, disks: next.disks.toSorted((a, b) => a.index - b.index) };
}

/** The export ended, so every disk is there, even where the last progress message did not get through. */
function finishDisks(model: Model, now: number): Model {
  const done = model.disks.map((disk) => ({ ...disk, state: 'done' as const, done_bytes: disk.capacity_bytes }));
  return withDisks(model, done, now);
}

function onLog(model: Model, log: JobLog): Model {
  const before = model.since !== null && Date.parse(log.time) < Date.parse(model.since);
  return before ? model : add(model, Date.parse(log.time), { kind: 'log', log });
}

function onEnd(before: Model, job: JobDetail, now: number): Model {
  let model = before;
  if (job.status === 'completed') {
    model = finishStep(enter(model, 'converting', now), now);
    model = add(
      model,
      now,
      { kind: 'converted', seconds: job.conversion.duration_seconds },
      { kind: 'phase', number: 5, title: 'Cleanup' },
      { kind: 'cleaned' },
    );
  }
  return { ...model, stage: 'ended', step: null, queuePosition: null };
}

/** Bytes a second of one disk over the last seconds; undefined when nothing can be said. */
export function diskRate(disk: DiskView): number | undefined {
  const [first, last] = [disk.samples[0], disk.samples.at(-1)];
  if (first === undefined || last === undefined || last.at - first.at < 500 || last.bytes <= first.bytes)
    return undefined;
  return ((last.bytes - first.bytes) * 1000) / (last.at - first.at);
}
