import { deltaBytes, readLayout } from './layout.js';
import { readMany, readProperties } from './properties.js';
import type { VimSession } from './session.js';
import type { CallOptions } from './soap-http.js';
import { arrayOf, flag, list, number, ref, text, type Ref } from './values.js';

export interface DatastoreSpace {
  readonly name: string;
  readonly freeBytes: number;
  readonly capacityBytes: number;
}

/** Room on the datastores that hold the VM's files. */
export async function datastoreSpace(
  session: VimSession,
  vm: Ref,
  options: CallOptions = {},
): Promise<DatastoreSpace[]> {
  const { datastore } = await readProperties(session, vm, ['datastore'], options);
  const wrapped = arrayOf(datastore, 'ManagedObjectReference');
  const datastores = (wrapped.length > 0 ? wrapped : list(datastore)).flatMap((node) => ref(node) ?? []);
  // The summary is minutes old unless it is asked for anew. Who may not do that sees the old one.
  await Promise.all(
    datastores.map((store) => session.call('RefreshDatastoreStorageInfo', store, {}, options).catch(() => {})),
  );
  options.signal?.throwIfAborted();
  const paths = ['summary.name', 'summary.freeSpace', 'summary.capacity', 'summary.accessible'];
  return (await readMany(session, datastores, paths, options))
    .filter(({ properties }) => text(properties['summary.accessible']) !== 'false')
    .map(({ properties }) => ({
      name: text(properties['summary.name']) ?? '',
      freeBytes: number(properties['summary.freeSpace']) ?? 0,
      capacityBytes: number(properties['summary.capacity']) ?? 0,
    }));
}

/** What the VM has written since its newest snapshot was taken. */
export async function snapshotDeltaBytes(session: VimSession, vm: Ref, options: CallOptions = {}): Promise<number> {
  await session.call('RefreshStorageInfo', vm, {}, options).catch(() => {});
  options.signal?.throwIfAborted();
  const { layoutEx } = await readProperties(session, vm, ['layoutEx'], options);
  return deltaBytes(readLayout(layoutEx));
}

/** Deltas of a snapshot that is gone are left and have to be merged. */
export async function consolidationNeeded(session: VimSession, vm: Ref, options: CallOptions = {}): Promise<boolean> {
  const properties = await readProperties(session, vm, ['runtime.consolidationNeeded'], options);
  return flag(properties['runtime.consolidationNeeded']);
}
