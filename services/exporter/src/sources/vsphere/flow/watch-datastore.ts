import { JobError } from '@hyper2kvm/contracts';
import { formatBytes } from '../../../files/index.js';
import { datastoreSpace } from '../storage.js';
import { untilStopped } from './context.js';
import type { Look } from './watch.js';

/** A datastore that runs full stops every VM on it: the snapshot is the first to go. */
export const watchDatastore: Look = async (context) => {
  const { session, described, settings } = context;
  for (const { name, freeBytes, capacityBytes } of await datastoreSpace(session, described.vm, untilStopped(context))) {
    if (capacityBytes === 0) continue;
    const percent = (100 * freeBytes) / capacityBytes;
    if (percent < settings.datastoreMinFreePercent)
      throw new JobError(
        'DATASTORE_FULL',
        `datastore ${name} has ${formatBytes(freeBytes)} of ${formatBytes(capacityBytes)} free (${percent.toFixed(1)} %), and ${settings.datastoreMinFreePercent} % have to stay free: the export is given up and its snapshot removed`,
      );
  }
};
