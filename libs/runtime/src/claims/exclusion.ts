import type { Activity } from '@hyper2kvm/contracts';

/**
 * What must not begin while a living worker is at the other one for the same job: a clean-up would take the snapshot and the
 * files from under an export that is just being stopped, or from one that was begun anew.
 */
const EXCLUDES: Partial<Record<Activity, Activity>> = { cleanup: 'export', export: 'cleanup' };

/** The activity that has to end first. */
export const excludedBy = (activity: Activity): Activity | undefined => EXCLUDES[activity];
