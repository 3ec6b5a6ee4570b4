import { CATALOGUE, durationWord, type Attempt, type Failure } from '@hyper2kvm/contracts';
import type { AttemptNews, Happened } from '../history/index.js';
import type { Fact } from './decide.js';
import type { Outgoing } from './messages.js';
import { gigabytes } from './projection.js';

type TaskActivity = Exclude<Attempt['activity'], 'hook'>;
const WORDS: Record<TaskActivity, string> = {
  export: 'Export',
  conversion: 'Conversion',
  cleanup: 'Clean-up',
  verify: 'Verification',
  import: 'Import',
};

/** `export.requested.v1` and `task.export.v1` are about the same. */
function activityOf(name: string): TaskActivity | undefined {
  const tokens = name.split('.');
  return (Object.keys(WORDS) as TaskActivity[]).find((activity) => tokens.includes(activity));
}

/** The line of a fact that came in. @param time when it happened, by its worker's clock */
export function eventOf(fact: Fact, time: Date): Happened {
  const { attempt, worker } = fact.data;
  return { event: fact.name, time, attempt, by: worker, message: sentenceOf(fact) };
}

function sentenceOf(fact: Fact): string {
  const { attempt, worker } = fact.data;
  const [kind] = fact.name.split('.');
  const head = `${WORDS[kind as TaskActivity]} ${attempt}`;
  switch (fact.name) {
    case 'export.started': {
      const { disks } = fact.data.machine;
      const size = gigabytes(disks.reduce((sum, disk) => sum + disk.capacity_bytes, 0));
      return `${head} began on ${worker}: ${disks.length === 1 ? '1 disk' : `${disks.length} disks`}, ${size} GB.`;
    }
    case 'export.completed':
      return `${head} is completed: ${gigabytes(fact.data.bytes_downloaded)} GB in ${durationWord(fact.data.duration_seconds)}.`;
    case 'conversion.started':
      return `${head} began on ${worker}.`;
    case 'conversion.completed':
      return `${head} is completed in ${durationWord(fact.data.duration_seconds)}: ${fact.data.output_dir}`;
    case 'verify.completed':
      return `${head} is completed: ${fact.data.identical ? 'every file is as it was recorded' : 'files differ'}.`;
    case 'import.completed':
      return `${head} is completed: the domain is ${fact.data.libvirt_domain}.`;
    case 'cleanup.completed':
      return `${head} is completed.`;
    case 'export.failed':
    case 'conversion.failed':
    case 'cleanup.failed':
    case 'verify.failed':
    case 'import.failed':
      return `${head} failed: ${fact.data.failure.message}`;
  }
}

/** What a fact tells of the try that it speaks of. */
export function newsOf(fact: Fact, time: Date): AttemptNews {
  const { job_id: jobId, attempt, worker } = fact.data;
  const [activity] = fact.name.split('.');
  const common = { jobId, attempt, worker, activity: activity as TaskActivity };
  if (fact.name === 'export.started' || fact.name === 'conversion.started')
    return { ...common, outcome: 'running', startedAt: new Date(fact.data.started_at) };
  if ('failure' in fact.data) {
    const { failure } = fact.data;
    const file = 'error_file' in fact.data ? fact.data.error_file : undefined;
    return {
      ...common,
      outcome: failure.code === 'CANCELLED' ? 'cancelled' : 'failed',
      endedAt: time,
      failure,
      ...(file === undefined ? {} : { errorFile: file }),
    };
  }
  const seconds = 'duration_seconds' in fact.data ? fact.data.duration_seconds : undefined;
  return {
    ...common,
    outcome: 'completed',
    endedAt: time,
    ...(seconds === undefined ? {} : { durationSeconds: seconds }),
  };
}

/** A try begins to exist when its command is let out. */
export function askedBy(jobId: string, message: Outgoing): AttemptNews | undefined {
  const activity = activityOf(message.type);
  const { attempt } = message.data;
  if (message.kind !== 'command' || activity === undefined || typeof attempt !== 'number') return undefined;
  return { jobId, activity, attempt, outcome: 'queued' };
}

/** The line of a message that leaves; none of what the timeline says in another way, or is the log's. */
export function lineOf(message: Outgoing): Happened | undefined {
  const name = CATALOGUE.get(message.type)?.name ?? message.type;
  const activity = activityOf(message.type);
  const word = activity === undefined ? '' : WORDS[activity];
  const { attempt, lane } = message.data as { attempt?: number; lane?: string };
  const numbered = attempt === undefined ? {} : { attempt };
  switch (message.kind) {
    case 'command': {
      const queue = name.startsWith('task.') ? '' : ` in the lane ${lane}`;
      const when = message.availableAt === undefined ? '' : `, not before ${message.availableAt.toISOString()}`;
      return { event: name, ...numbered, message: `${word} ${attempt} is asked for${queue}${when}.` };
    }
    case 'move':
      return { event: `${activity}.moved`, ...numbered, message: `${word} ${attempt} waits in the lane ${lane} now.` };
    case 'cancel':
      return { event: `${activity}.withdrawn`, message: `${word} is withdrawn.` };
    case 'fact':
      return name.startsWith('job.') && name !== 'job.log' ? { event: name, ...told(name, message.data) } : undefined;
    case 'bandwidth':
      return undefined;
  }
}

/** What the facts about jobs carry, of each its own part. */
interface JobFacts {
  readonly requested_by?: string;
  readonly cancelled_by?: string;
  readonly retry_count?: number;
  readonly from?: string;
  readonly priority?: string;
  readonly failure?: Failure;
}

function told(name: string, data: JobFacts): Omit<Happened, 'event'> {
  switch (name) {
    case 'job.created':
      return { by: data.requested_by ?? '', message: `The job is asked for, with priority ${data.priority}.` };
    case 'job.cancelled':
      return { by: data.cancelled_by ?? '', message: 'The job is cancelled.' };
    case 'job.retried':
      return { message: `Retry ${data.retry_count} of the job begins with its ${data.from}.` };
    case 'job.reprioritised':
      return { message: `The priority is ${data.priority} now.` };
    case 'job.completed':
      return { message: 'The job is completed.' };
    default:
      return { message: `The job failed: ${data.failure?.message ?? 'without a reason'}` };
  }
}
