import type { BatchCompleted, EventData, jobCancelled, JobCompleted, JobFailed } from '@hyper2kvm/contracts';

/** As it came from the bus. `eventId` is the CloudEvents id: the same fact delivered again carries it again. */
interface Told<Kind extends string, Data> {
  readonly kind: Kind;
  readonly eventId: string;
  /** When it happened, RFC 3339. */
  readonly time: string;
  readonly data: Data;
}

export type JobFact =
  Told<'completed', JobCompleted> | Told<'failed', JobFailed> | Told<'cancelled', EventData<typeof jobCancelled>>;
export type BatchFact = Told<'batch', BatchCompleted>;

/** The end of a job, or of a batch. */
export type OutcomeFact = JobFact | BatchFact;

/** What it is the end of. */
export const subjectOf = ({ data }: OutcomeFact): string => ('job_id' in data ? data.job_id : data.batch_id);

/** The same for a line of the log, under the names that every service uses. */
export const namedIn = ({ data }: OutcomeFact): { job_id: string } | { batch_id: string } =>
  'job_id' in data ? { job_id: data.job_id } : { batch_id: data.batch_id };

/** The facts that people and machines can be told of, as rules call them. */
export const FACT_NAMES = ['job.completed', 'job.failed', 'job.cancelled', 'batch.completed'] as const;
export type FactName = (typeof FACT_NAMES)[number];

const NAMES = {
  completed: 'job.completed',
  failed: 'job.failed',
  cancelled: 'job.cancelled',
  batch: 'batch.completed',
} as const satisfies Record<OutcomeFact['kind'], FactName>;
export const nameOf = ({ kind }: OutcomeFact): FactName => NAMES[kind];

/** The batch that it belongs to, or is the end of. */
export const batchOf = ({ data }: OutcomeFact): string | undefined => data.batch_id;
