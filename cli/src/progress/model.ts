import type { DiskProgress, JobDetail, JobLog, JobProgress } from '@hyper2kvm/contracts';
import { originOfJob } from '../lib/origin.js';
import { cleaningOf } from './cleanup.js';
import { isResting } from './resting.js';
import type { DiskView, Happened, Model, Stage, ViewEvent } from './state.js';

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
      return onAccepted(model, event, now);
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

function onAccepted(model: Model, event: ViewEvent & { type: 'accepted' }, now: number): Model {
  const { accepted, origin, exportOnly = false } = event;
  const bytes = accepted.disks.reduce((sum, disk) => sum + disk.capacity_bytes, 0);
  const started = { kind: 'started', jobId: accepted.job_id, vm: accepted.vm_name, exportOnly } as const;
  const known = { ...model, jobId: accepted.job_id, vm: accepted.vm_name, origin } as const;
  // One that starts later is looked at then.
  if (accepted.disks.length === 0) return add({ ...known, stage: 'connecting' }, now, started);
  return add(
    { ...known, stage: 'connecting' },
    now,
    started,
    { kind: 'phase', number: 1, title: origin.local ? 'Reading the files' : 'Connecting to vSphere' },
    { kind: 'connected', origin },
    { kind: 'found', vm: accepted.vm_name, disks: accepted.disks.length, bytes },
  );
}

function onJob(before: Model, job: JobDetail, now: number): Model {
  // What the user asked for says more of local files than the job does.
  const origin = before.origin.label === '' ? originOfJob(job) : before.origin;
  let model: Model = { ...before, job, jobId: job.job_id, vm: job.vm_name, origin };
  if (model.happened.length === 0) {
    model = add({ ...model, since: job.updated_at }, now, {
      kind: 'started',
      jobId: job.job_id,
      vm: job.vm_name,
      exportOnly: isResting(job),
    });
  }
  if (job.progress.disks.length > 0 && model.disks.length === 0) model = withDisks(model, job.progress.disks, now);
  // The job of a failed attempt is pending again at once, and waits for its time.
  const retry = job.next_retry_at !== null && before.job?.next_retry_at !== job.next_retry_at;
  if (retry && job.next_retry_at !== null) {
    const count = job.status === 'failed' ? job.retry_count + 1 : job.retry_count;
    model = add(model, now, { kind: 'retry', failure: job.failure, at: job.next_retry_at, count });
    model = { ...model, disks: [], step: null, steps: null };
  }
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
    case 'cancelled':
    case 'completed':
      if (job.next_retry_at === null && cleaningOf(job) === 'goes on') model = conclude(model, job, now);
      break;
  }
  if (job.waiting_reason !== null && job.waiting_reason !== before.job?.waiting_reason)
    model = add(model, now, { kind: 'held', reason: job.waiting_reason });
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
  'cleaning',
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
    case 'cleaning':
    case 'ended':
      return model;
    case 'waiting for export': {
      const title = model.origin.local ? 'Exporting from the files' : 'Exporting from vSphere';
      return add(model, now, { kind: 'phase', number: 2, title });
    }
    case 'exporting':
      return add(model, now, { kind: 'export started' });
    case 'waiting for conversion': {
      const exported: Happened = {
        kind: 'exported',
        seconds: model.job?.export.duration_seconds ?? null,
        bytes: model.job?.export.bytes_downloaded ?? 0,
        local: model.origin.local,
      };
      const rests = model.job !== null && isResting(model.job);
      return add(finishDisks(model, now), now, exported, ...(rests ? [] : [QUEUED]));
    }
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
  // Clean-ups and verifications count attempts of their own.
  if (progress.phase !== 'export' && progress.phase !== 'conversion') return before;
  if (before.stage === 'cleaning' || before.stage === 'ended') return before;
  if (progress.phase === 'export' && before.stage === 'converting') return before;
  const fresh = progress.attempt > before.attempt && before.attempt > 0;
  let model: Model = { ...before, attempt: progress.attempt, ...(fresh ? { disks: [], step: null } : {}) };
  if (progress.phase === 'export') {
    model = enter(model, 'exporting', now);
    return withDisks(model, progress.disks ?? [], now);
  }
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
      next = add(next, now, { kind: 'disk', disk, total: disks.length, seconds, local: next.origin.local });
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
  const done = job.status === 'completed' || cleaningOf(job) !== 'none';
  const model = done ? add(conclude(before, job, now), now, ...cleanupEnd(job)) : before;
  return { ...model, stage: 'ended', step: null, queuePosition: null };
}

/** Up to the beginning of the last phase. */
function conclude(before: Model, job: JobDetail, now: number): Model {
  if (before.stage === 'cleaning') return before;
  let model = before;
  if (job.status === 'completed') {
    model = finishStep(enter(model, 'converting', now), now);
    model = add(model, now, { kind: 'converted', seconds: job.conversion.duration_seconds });
  }
  return add({ ...model, stage: 'cleaning' }, now, { kind: 'phase', number: 5, title: 'Cleanup' });
}

/** Nothing is said of a clean-up that is not waited for any longer. */
function cleanupEnd(job: JobDetail): Happened[] {
  const state = cleaningOf(job);
  if (job.cleanup !== null && state === 'stopped') return [{ kind: 'not cleaned', cleanup: job.cleanup }];
  return state === 'goes on' ? [] : [{ kind: 'cleaned' }];
}

/** Bytes a second of one disk over the last seconds; undefined when nothing can be said. */
export function diskRate(disk: DiskView): number | undefined {
  const [first, last] = [disk.samples[0], disk.samples.at(-1)];
  if (first === undefined || last === undefined || last.at - first.at < 500 || last.bytes <= first.bytes)
    return undefined;
  return ((last.bytes - first.bytes) * 1000) / (last.at - first.at);
}
