import type { Activity } from '@hyper2kvm/contracts';

/*
 * Marks of cancelled work in the bucket `control`: `cancelled.<activity>.<job>`, the value is the last attempt that is
 * cancelled. Of one activity alone: what cleans up after a cancelled export must not be stopped by its mark.
 */
export const cancelKey = (activity: Activity | '*', jobId: string): string => `cancelled.${activity}.${jobId}`;

/** Whether a mark's value speaks of this attempt. */
export const coversAttempt = (value: string, attempt: number): boolean => attempt <= Number(value);
