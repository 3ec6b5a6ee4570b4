import { setTimeout as sleep } from 'node:timers/promises';
import { isGone } from '../faults.js';
import type { VimSession } from '../session.js';
import { findSnapshots, removeSnapshot } from '../snapshots.js';
import { consolidationNeeded } from '../storage.js';
import type { Ref } from '../values.js';
import type { Remains } from '../../source.js';
import { wordsOf } from './context.js';

/**
 * Removes the job's snapshots from the VM, trying for a while. All snapshots of this name are the job's: a start that was
 * killed may have left more than one. Others are not touched.
 */
export async function removeJobSnapshots(
  session: VimSession,
  vm: Ref,
  name: string,
  vmName: string,
  pausesMs: readonly number[],
): Promise<Remains> {
  const removed: string[] = [];
  for (let attempt = 0; ; attempt++) {
    try {
      for (const snapshot of await findSnapshots(session, vm, name)) {
        await removeSnapshot(session, snapshot.ref);
        removed.push(name);
      }
      return { removed, ...(await mergeConcern(session, vm, vmName)) };
    } catch (error) {
      // No VM, no snapshot.
      if (isGone(error)) return { removed };
      const pause = pausesMs[attempt];
      if (pause === undefined)
        return { removed, left: orphanMessage(name, vmName, wordsOf(error)), snapshot: { vm: vm.id, snapshot: name } };
      await sleep(pause);
    }
  }
}

async function mergeConcern(session: VimSession, vm: Ref, vmName: string): Promise<Pick<Remains, 'concerns'>> {
  const needed = await consolidationNeeded(session, vm).catch(() => false);
  return needed
    ? {
        concerns: [
          `vCenter says that the disks of VM ${vmName} need consolidation: run "Consolidate" on it in vCenter`,
        ],
      }
    : {};
}

/** What the user has to do by hand. */
export const orphanMessage = (name: string, vmName: string, why: string): string =>
  `The snapshot "${name}" could not be removed from VM ${vmName} (${why}); please remove it in vCenter`;
