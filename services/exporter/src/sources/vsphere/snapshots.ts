import { isGone } from './faults.js';
import { readProperties } from './properties.js';
import type { VimSession } from './session.js';
import type { CallOptions } from './soap-http.js';
import { waitForTask } from './tasks.js';
import { arrayOf, child, list, ref, text, type Ref } from './values.js';

/** Quiescing waits for the guest, consolidation for the datastore. */
const CREATE_LIMIT_MS = 15 * 60_000;
const REMOVE_LIMIT_MS = 60 * 60_000;

export interface Snapshot {
  readonly ref: Ref;
  readonly name: string;
  readonly createdAt: Date | undefined;
}

/** The VM's snapshots of this name, wherever they are in its tree. */
export async function findSnapshots(
  session: VimSession,
  vm: Ref,
  name: string,
  options: CallOptions = {},
): Promise<Snapshot[]> {
  const { snapshot } = await readProperties(session, vm, ['snapshot'], options);
  const roots = child(snapshot, 'rootSnapshotList');
  const wrapped = arrayOf(roots, 'VirtualMachineSnapshotTree');
  const waiting = [...(wrapped.length > 0 ? wrapped : list(roots))];
  const found: Snapshot[] = [];
  for (let node = waiting.shift(); node !== undefined; node = waiting.shift()) {
    const at = ref(node, 'snapshot');
    const created = Date.parse(text(node, 'createTime') ?? '');
    if (at !== undefined && text(node, 'name') === name)
      found.push({ ref: at, name, createdAt: Number.isNaN(created) ? undefined : new Date(created) });
    waiting.push(...list(child(node, 'childSnapshotList')));
  }
  return found;
}

/** Without memory. @throws VimFault when the guest could not be quiesced, or the VM cannot be snapshotted */
export async function createSnapshot(
  session: VimSession,
  vm: Ref,
  snapshot: { name: string; description: string; quiesce: boolean },
  options: CallOptions = {},
): Promise<Ref> {
  const { name, description, quiesce } = snapshot;
  const task = ref(
    await session.call('CreateSnapshot_Task', vm, { name, description, memory: false, quiesce }, options),
  );
  const made = await waitForTask(session, task, CREATE_LIMIT_MS, options);
  if (made !== undefined) return made;
  const [found] = await findSnapshots(session, vm, name, options);
  if (found === undefined) throw new Error('CreateSnapshot_Task gave no snapshot');
  return found.ref;
}

/** Removes one snapshot and keeps its children. One that is gone already is fine. */
export async function removeSnapshot(session: VimSession, snapshot: Ref, options: CallOptions = {}): Promise<void> {
  try {
    const task = ref(
      await session.call('RemoveSnapshot_Task', snapshot, { removeChildren: false, consolidate: true }, options),
    );
    await waitForTask(session, task, REMOVE_LIMIT_MS, options);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** A reference to this snapshot for a request. */
export const snapshotRef = (id: string): Ref => ({ type: 'VirtualMachineSnapshot', id });
