import { FORGOTTEN } from '@hyper2kvm/runtime';
import type { JobRow } from '../database/index.js';

type Columns = Pick<JobRow, 'status' | 'options' | 'source' | 'cleanup'>;

/**
 * What is taken out of a job's row once nobody needs it any more; to be written with every change.
 *
 * A job that is completed or cancelled is never tried again. Keys of LUKS volumes are of use to its conversion alone. The password
 * of its source is of use to its export, and to clean-ups at vCenter: it stays while one is asked for, or was given up and has left
 * something there. Verification and import need files only. A failed job keeps all, since a user may retry it; its secrets go with
 * its row.
 * @param patch what the change does to the row
 */
export function forgetSecrets(job: Columns, patch: Partial<Columns> = {}): Partial<Columns> {
  const { status, source, cleanup } = { status: job.status, source: job.source, cleanup: job.cleanup, ...patch };
  if (status !== 'completed' && status !== 'cancelled') return {};
  const { luks_keys_sealed: keys, ...options } = patch.options ?? job.options;
  const clean = cleanup === null || cleanup.status === 'completed';
  return {
    ...(keys === undefined ? {} : { options }),
    ...(clean && source.kind === 'vsphere' && source.password_sealed !== FORGOTTEN
      ? { source: { ...source, password_sealed: FORGOTTEN } }
      : {}),
  };
}
