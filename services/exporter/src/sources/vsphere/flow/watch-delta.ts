import { formatBytes } from '../../../files/index.js';
import { snapshotDeltaBytes } from '../storage.js';
import { untilStopped } from './context.js';
import type { Look } from './watch.js';

/** Growth that is worth a line of the log: a quarter more than last time, and not less than this. */
const LEAST_BYTES = 16 * 2 ** 20;

/** What the VM has written since the snapshot lies in a delta, which grows until the export ends. */
export function watchDelta(): Look {
  let told = 0;
  const startedAt = performance.now();
  return async (context) => {
    const { session, described, work } = context;
    const bytes = await snapshotDeltaBytes(session, described.vm, untilStopped(context));
    if (bytes < told + Math.max(LEAST_BYTES, told / 4)) return;
    told = bytes;
    const minutes = Math.max(1, Math.round((performance.now() - startedAt) / 60_000));
    work.log('info', `The snapshot's delta has grown to ${formatBytes(bytes)} after ${minutes} min`);
  };
}
