import type { JobCompleted, JobFailed } from '@hyper2kvm/contracts';

/** The end of a job as it came from the bus. `eventId` is the CloudEvents id: the same fact delivered again carries it again. */
export type OutcomeFact =
  | { readonly kind: 'completed'; readonly eventId: string; readonly data: JobCompleted }
  | { readonly kind: 'failed'; readonly eventId: string; readonly data: JobFailed };
