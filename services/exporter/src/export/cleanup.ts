import { setTimeout as sleep } from 'node:timers/promises';
import { findSnapshots, isGone, removeSnapshot, type Ref, type VimSession } from '../sources/vsphere/index.js';

/**
 * Removes the job's snapshot from the VM, trying for a while. Returns why it could not, or undefined.
 * All snapshots of this name are the job's: a start that was killed may have left more than one.
 */
export async function removeJobSnapshots(
  session: VimSession,
  vm: Ref,
  name: string,
  pausesMs: readonly number[],
): Promise<string | undefined> {
  for (let attempt = 0; ; attempt++) {
    try {
      for (const snapshot of await findSnapshots(session, vm, name)) await removeSnapshot(session, snapshot.ref);
      return undefined;
    } catch (error) {
      // No VM, no snapshot.
      if (isGone(error)) return undefined;
      const pause = pausesMs[attempt];
      if (pause === undefined) return error instanceof Error ? error.message : String(error);
      await sleep(pause);
    }
  }
}

/** What the user has to do by hand. */
export const orphanMessage = (name: string, vmName: string, why: string): string =>
  `The snapshot "${name}" could not be removed from VM ${vmName} (${why}); please remove it in vCenter`;
