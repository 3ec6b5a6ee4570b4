import type { JobDetail, JobProgress } from '@hyper2kvm/contracts';
export declare const GB = 1000000000;
export declare const START: number;
export declare const JOB_ID = 'job-abc123def456';
/** A job that waits for its export. */
export declare function job(change?: Partial<JobDetail>): JobDetail;
export declare const completed: (change?: Partial<JobDetail>) => JobDetail;
export declare const failed: (change?: Partial<JobDetail>) => JobDetail;
/** Progress of an export of two disks, each done so far in GB. */
export declare const exporting: (done: readonly [number, number], state: readonly [string, string]) => JobProgress;
export declare const converting: (step: JobProgress['step'], completed: number) => JobProgress;
