import type { BatchCompleted, EventData, jobCancelled, JobCompleted, JobFailed } from '@hyper2kvm/contracts';

/** As it came from the bus. `eventId` is the CloudEvents id: the same fact delivered again carries it again. */
interface Told<Kind extends string, Data> {
  readonly kind: Kind;
  readonly eventId: string;
  /** When it happened, RFC 3339. */
  readonly time: string;
  readonly data: Data;
}

/** The end of a job, or of a batch. */
export type OutcomeFact =
  | Told<'completed', JobCompleted>
  | Told<'failed', JobFailed>
  | Told<'cancelled', EventData<typeof jobCancelled>>
  | Told<'batch', BatchCompleted>;

/** What it is the end of. */
export const subjectOf = ({ data }: OutcomeFact): string => ('job_id' in data ? data.job_id : data.batch_id);
