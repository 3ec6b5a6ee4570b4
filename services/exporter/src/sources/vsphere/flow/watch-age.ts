import { JobError } from '@hyper2kvm/contracts';
import { serverTime } from '../time.js';
import { untilStopped } from './context.js';
import { hours, type JobSnapshot } from './snapshot.js';
import type { Look } from './watch.js';

/** A snapshot that stays for long slows its VM down, and takes long to remove. */
export const watchAge =
  ({ name, createdAt }: JobSnapshot): Look =>
  async (context) => {
    const { session, settings } = context;
    if (createdAt === undefined) return;
    if ((await serverTime(session, untilStopped(context))) - createdAt.getTime() <= settings.snapshotMaxAgeMs) return;
    throw new JobError(
      'EXPORT_TRANSFER',
      `the snapshot "${name}" is older than ${hours(settings.snapshotMaxAgeMs)} (snapshot_max_age_hours) and the export has not ended`,
      // The next attempt would take as long.
      { retryable: false },
    );
  };
