import {
  cleanupRequested,
  conversionRequested,
  exportRequested,
  JobError,
  JobOptions,
  type ConversionChanges,
  type JobPatch,
  type Lane,
  type LuksKey,
  type QueueRequest,
  type RetryRequest,
} from '@hyper2kvm/contracts';
import type { Sealer, TargetsConfig } from '@hyper2kvm/runtime';
import type { Job, JobRow } from '../database/index.js';
import { storedOptions } from './asked-source.js';
import * as asked from './asked.js';
import type { Decision } from './decision.js';
import type { Request } from './request.js';
import type { TakenBack } from './store.js';
import { assertTarget } from './targets.js';

/** What requests need to know beside the job. */
export interface RequestSetting {
  readonly sealer: Sealer;
  readonly targets: TargetsConfig;
  readonly maxRetries: number;
}

const PHASE_COMMANDS = [exportRequested.name, conversionRequested.name];

/** @param wanted what shall be otherwise this time */
export const toRetry = (wanted: RetryRequest, by: string, setting: RequestSetting): Request => ({
  what: 'retry',
  event: 'request.retry',
  by,
  message: `Another attempt is asked for by ${by}.`,
  // A clean-up that has not left is not needed any more; one that has left is waited for before the job is released.
  withdraws: () => [cleanupRequested.name],
  decide: (job, taken) =>
    asked.decideRetry(Object.assign({}, job, changed(job, wanted, setting)), new Date(), taken.length > 0),
});

export const toCancel = (by: string): Request => ({
  what: 'cancel',
  event: 'request.cancel',
  by,
  message: `A cancel is asked for by ${by}.`,
  // A retry that waits for its time must not leave after the cancel.
  withdraws: () => [...PHASE_COMMANDS, cleanupRequested.name],
  decide: (job) => asked.decideCancel(job, by, new Date()),
});

export const toReprioritise = (lane: Lane, by: string, setting: RequestSetting): Request => ({
  what: 'another priority',
  event: 'request.priority',
  by,
  message: `Priority ${lane} is asked for by ${by}.`,
  withdraws: (job) => resentIn(lane, job),
  decide: (job, taken) => decideLane(job, lane, taken, setting),
});

/** Of a job that rests in `exported`. */
export const toConvert = (wanted: QueueRequest, by: string, setting: RequestSetting): Request => ({
  what: 'a conversion',
  event: 'request.convert',
  by,
  message: `The conversion is asked for by ${by}.`,
  withdraws: () => [],
  decide: (job) => {
    if (wanted.job_id !== undefined && wanted.job_id !== job.id)
      throw new JobError('BAD_REQUEST', `job_id: ${wanted.job_id} is not the job of this address, ${job.id}.`);
    const { priority } = wanted;
    return inTurn(job, [
      (now) =>
        priority === undefined ? NOTHING : asked.decidePriority(now, priority, { ...setting, now: new Date() }),
      (now) => asked.decideConvert(now, changed(now, wanted, setting), new Date()),
    ]);
  },
});

/** All that a PATCH names, or nothing of it. */
export function toPatch(wanted: JobPatch, by: string, setting: RequestSetting): Request {
  const { bandwidth_bytes_per_second: limit, priority, tags } = wanted;
  const parts = [
    ...(priority === undefined ? [] : [`priority ${priority}`]),
    ...(tags === undefined ? [] : [`tags ${tags.join(', ') || '(none)'}`]),
    ...(limit === undefined ? [] : [limit === null ? 'no limit of bandwidth' : `${limit} bytes a second`]),
  ];
  return {
    what: 'another priority or bandwidth',
    event: 'request.change',
    by,
    message: `Asked for by ${by}: ${parts.join('; ')}.`,
    withdraws: (job) => (priority === undefined ? [] : resentIn(priority, job)),
    decide: (job, taken) =>
      inTurn(job, [
        (now) => (limit === undefined ? NOTHING : asked.decideBandwidth(now, limit, new Date())),
        (now) => (tags === undefined ? NOTHING : asked.decideTags(now, tags, new Date())),
        (now) => (priority === undefined ? NOTHING : decideLane(now, priority, taken, setting)),
      ]),
  };
}

const NOTHING: Decision = { patch: {}, messages: [] };

/** Each decides on what the one before has left; undefined where one of them does not allow it. */
function inTurn(job: JobRow, steps: readonly ((job: JobRow) => Decision | undefined)[]): Decision | undefined {
  let whole = NOTHING;
  for (const step of steps) {
    const next = step({ ...job, ...whole.patch });
    if (next === undefined) return undefined;
    whole = { patch: { ...whole.patch, ...next.patch }, messages: [...whole.messages, ...next.messages] };
  }
  return whole;
}

/** A command that has not left is taken back only where it leaves again, in the other lane. */
const resentIn = (lane: Lane, job: Job): readonly string[] =>
  job.priority !== lane && asked.isQueued(job) ? PHASE_COMMANDS : [];

function decideLane(
  job: JobRow,
  lane: Lane,
  taken: readonly TakenBack[],
  { maxRetries }: RequestSetting,
): Decision | undefined {
  const held = taken.at(-1)?.availableAt;
  return asked.decidePriority(job, lane, { now: new Date(), maxRetries, ...(held === undefined ? {} : { held }) });
}

/** The options of a job with changes, and where its converters are then. @throws JobError BAD_REQUEST */
function changed(
  job: Pick<Job, 'options'>,
  wanted: { readonly options: ConversionChanges; readonly luks_keys?: readonly LuksKey[] | undefined },
  { sealer, targets }: RequestSetting,
): asked.ConvertWish {
  // What is left out stays as it was.
  const given = Object.entries(wanted.options).filter(([, value]) => value !== undefined);
  const merged = JobOptions.parse({ ...job.options, ...Object.fromEntries(given) });
  const options = storedOptions(merged, wanted.luks_keys, sealer);
  return { options, targetPool: assertTarget(options, targets)?.pool ?? null };
}
