import type { JobDetail, JobLog, JobProgress } from '@hyper2kvm/contracts';
import { originOfJob } from '../lib/origin.js';
import { cleaningOf } from './cleanup.js';
import { finishDisks, isUnderWay, withDisks, withDisksOf } from './disks.js';
import { isResting } from './resting.js';
import { add, type Happened, type Model, type Stage, type ViewEvent } from './state.js';

/**
 * The next state after an event. `now`, in ms since 1970, is when it arrived. Durations and rates come from the times that the
 * workers wrote into their messages: after a broken connection many of them arrive at once.
 */
export function reduce(model: Model, event: ViewEvent, now: number): Model {
  switch (event.type) {
    case 'accepted':
      return onAccepted(model, event, now);
    case 'job':
      return onJob(model, event.job, now);
    case 'end':
      return onEnd(onJob(model, event.job, now), event.job, now);
    case 'progress': {
      const at = Date.parse(event.progress.time);
      return onProgress(model, event.progress, at, now - at);
    }
    case 'log':
      return onLog(model, event.log);
    case 'connection':
      return add({ ...model, lost: event.state === 'lost' }, now, { kind: event.state });
  }
}

function onAccepted(model: Model, event: ViewEvent & { type: 'accepted' }, at: number): Model {
  const { accepted, origin, exportOnly = false } = event;
  const bytes = accepted.disks.reduce((sum, disk) => sum + disk.capacity_bytes, 0);
  const started = { kind: 'started', jobId: accepted.job_id, vm: accepted.vm_name, exportOnly, joined: false } as const;
  const known = { ...model, jobId: accepted.job_id, vm: accepted.vm_name, origin } as const;
  // One that starts later is looked at then.
  if (accepted.disks.length === 0) return add({ ...known, stage: 'connecting' }, at, started);
  return add(
    { ...known, stage: 'connecting' },
    at,
    started,
    { kind: 'phase', number: 1, title: origin.local ? 'Reading the files' : 'Connecting to vSphere' },
    { kind: 'connected', origin },
    { kind: 'found', vm: accepted.vm_name, disks: accepted.disks.length, bytes },
  );
}

function onJob(before: Model, job: JobDetail, at: number): Model {
  // What the user asked for says more of local files than the job does.
  const origin = before.origin.label === '' ? originOfJob(job) : before.origin;
  let model: Model = { ...before, job, jobId: job.job_id, vm: job.vm_name, origin };
  if (!model.started) {
    model = add({ ...model, since: job.updated_at }, at, {
      kind: 'started',
      jobId: job.job_id,
      vm: job.vm_name,
      exportOnly: isResting(job),
      joined: true,
    });
  }
  if (job.progress.disks.length > 0 && model.disks.length === 0) model = withDisksOf(model, job);
  // The job of a failed attempt is pending again at once, and waits for its time.
  const retry = job.next_retry_at !== null && before.job?.next_retry_at !== job.next_retry_at;
  if (retry && job.next_retry_at !== null) {
    const count = job.status === 'failed' ? job.retry_count + 1 : job.retry_count;
    model = add(stopped(model, job), at, { kind: 'retry', failure: job.failure, at: job.next_retry_at, count });
    model = { ...model, disks: [], step: null, steps: null };
  }
  switch (job.status) {
    case 'pending':
      model = enter(model, 'waiting for export', at);
      break;
    case 'exporting':
      model = enter(model, 'exporting', at);
      break;
    case 'exported':
      model = enter(model, 'waiting for conversion', at);
      break;
    case 'converting':
      model = enter(model, 'converting', at);
      break;
    case 'failed':
    case 'cancelled':
    case 'completed':
      if (job.next_retry_at === null && cleaningOf(job) === 'goes on')
        model = conclude(job.status === 'completed' ? model : stopped(model, job), job, at);
      break;
  }
  if (job.waiting_reason !== null && job.waiting_reason !== before.job?.waiting_reason)
    model = add(model, at, { kind: 'held', reason: job.waiting_reason });
  return onPosition(model, job, at);
}

function onPosition(model: Model, job: JobDetail, at: number): Model {
  const queue = job.status === 'pending' ? 'export' : 'conversion';
  const waits = job.status === 'pending' || job.status === 'exported';
  const position = job.queue_position;
  if (!waits) return { ...model, queuePosition: null, firstPosition: null, saidPosition: null };
  if (position === null || position === model.queuePosition) return model;
  const next = { ...model, queuePosition: position };
  // To be the next one at once is not worth a line: that is how every job starts.
  if (model.queuePosition === null && position === 1) return next;
  const first = model.saidPosition === null;
  const firstPosition = model.firstPosition ?? position;
  return add({ ...next, firstPosition, saidPosition: position }, at, { kind: 'waiting', queue, position, first });
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
function enter(model: Model, stage: Stage, at: number): Model {
  if (model.stage === stage) return model;
  const from = ORDER.indexOf(model.stage);
  const to = ORDER.indexOf(stage);
  if (to < from) {
    const back: Model = { ...model, stage, disks: to <= 2 ? [] : model.disks, step: null, steps: null };
    return stage === 'waiting for conversion' ? add(back, at, QUEUED) : tell(back, stage, at);
  }
  let next: Model = model;
  for (const passed of ORDER.slice(from + 1, to + 1)) next = tell({ ...next, stage: passed }, passed, at);
  return next;
}

const QUEUED: Happened = { kind: 'phase', number: 3, title: 'Queued for conversion' };

function tell(model: Model, stage: Stage, at: number): Model {
  switch (stage) {
    case 'connecting':
    case 'cleaning':
    case 'ended':
      return model;
    case 'waiting for export': {
      const title = model.origin.local ? 'Exporting from the files' : 'Exporting from vSphere';
      return add(model, at, { kind: 'phase', number: 2, title });
    }
    case 'exporting':
      return add(model, at, { kind: 'export started' });
    case 'waiting for conversion': {
      const exported: Happened = {
        kind: 'exported',
        seconds: model.job?.export.duration_seconds ?? null,
        bytes: model.job?.export.bytes_downloaded ?? 0,
        local: model.origin.local,
      };
      const rests = model.job !== null && isResting(model.job);
      return add(
        finishDisks(model, Date.parse(model.job?.updated_at ?? '') || at),
        at,
        exported,
        ...(rests ? [] : [QUEUED]),
      );
    }
    case 'converting':
      return add(
        { ...model, queuePosition: null },
        at,
        { kind: 'conversion started' },
        { kind: 'phase', number: 4, title: 'Converting to KVM' },
      );
  }
}

function onProgress(before: Model, progress: JobProgress, at: number, behind: number): Model {
  // Clean-ups and verifications count attempts of their own.
  if (progress.phase !== 'export' && progress.phase !== 'conversion') return before;
  if (before.stage === 'cleaning' || before.stage === 'ended') return before;
  if (progress.phase === 'export' && before.stage === 'converting') return before;
  const fresh = progress.attempt > before.attempt && before.attempt > 0;
  let model: Model = { ...before, behind, attempt: progress.attempt, ...(fresh ? { disks: [], step: null } : {}) };
  if (progress.phase === 'export') {
    model = enter(model, 'exporting', at);
    return withDisks(model, progress.disks ?? [], at);
  }
  model = enter(model, 'converting', at);
  const total = progress.steps_total ?? model.steps?.total ?? 0;
  const done = progress.steps_completed ?? model.steps?.done ?? 0;
  if (model.step === null && model.steps === null && done > 0) model = add(model, at, { kind: 'resumed', done, total });
  model = { ...model, steps: { done, total, percent: progress.percent_complete } };
  if (progress.step === undefined || progress.step === model.step?.name) return model;
  return { ...finishStep(model, at), step: { name: progress.step, since: at } };
}

const finishStep = (model: Model, at: number): Model =>
  model.step === null
    ? model
    : add({ ...model, step: null }, at, {
        kind: 'step',
        step: model.step.name,
        seconds: Math.max(0, at - model.step.since) / 1000,
      });

function onLog(model: Model, log: JobLog): Model {
  // Steps, disks and times are drawn already; so is what programs print of no use here.
  if (log.course === true || log.source !== undefined) return model;
  const before = model.since !== null && Date.parse(log.time) < Date.parse(model.since);
  return before ? model : add(model, Date.parse(log.time), { kind: 'log', log });
}

function onEnd(before: Model, job: JobDetail, at: number): Model {
  const done = job.status === 'completed' || cleaningOf(job) !== 'none';
  const ended = job.status === 'completed' ? before : stopped(before, job);
  const model = done ? add(conclude(ended, job, at), at, ...cleanupEnd(job)) : ended;
  return { ...model, stage: 'ended', step: null, queuePosition: null };
}

/** Says what an attempt that came to nothing was at. */
function stopped(model: Model, job: JobDetail): Model {
  const at = Date.parse(job.updated_at);
  const total = model.disks.length;
  const disks = model.stage === 'exporting' ? model.disks.filter(isUnderWay) : [];
  const next = add(model, at, ...disks.map((disk): Happened => ({ kind: 'disk stopped', disk, total })));
  if (model.stage !== 'converting' || model.step === null) return next;
  const seconds = Math.max(0, at - model.step.since) / 1000;
  return add({ ...next, step: null }, at, { kind: 'step stopped', step: model.step.name, seconds });
}

/** Up to the beginning of the last phase. */
function conclude(before: Model, job: JobDetail, at: number): Model {
  if (before.stage === 'cleaning') return before;
  let model = before;
  if (job.status === 'completed') {
    model = finishStep(enter(model, 'converting', at), Date.parse(job.completed_at ?? job.updated_at));
    model = add(model, at, { kind: 'converted', seconds: job.conversion.duration_seconds });
  }
  return add({ ...model, stage: 'cleaning' }, at, { kind: 'phase', number: 5, title: 'Cleanup' });
}

/** Nothing is said of a clean-up that is not waited for any longer. */
function cleanupEnd(job: JobDetail): Happened[] {
  const state = cleaningOf(job);
  if (job.cleanup !== null && state === 'stopped') return [{ kind: 'not cleaned', cleanup: job.cleanup }];
  return state === 'goes on' ? [] : [{ kind: 'cleaned' }];
}
