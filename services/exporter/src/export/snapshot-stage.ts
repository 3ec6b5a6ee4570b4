import {
  VimFault,
  createSnapshot,
  findSnapshots,
  removeSnapshot,
  serverTime,
  type Ref,
} from '../sources/vsphere/index.js';
import { snapshotName, withVcenter, type ExportContext } from './context.js';

/**
 * The one snapshot that all disks of the job come from: that of an earlier start where it still stands, else a new one.
 * Finished disks of another snapshot are dropped: disks of two instants must not be mixed.
 */
export async function ensureSnapshot(context: ExportContext): Promise<Ref> {
  const { session, described, journal, ports, request } = context;
  const name = snapshotName(request.jobId);
  return withVcenter(session, `the snapshot of VM ${described.machine.name}`, async () => {
    const found = await findUsable(context, name);
    if (found !== undefined) {
      if (journal.state.snapshot?.moref !== found.id) await bind(context, name, found);
      ports.work.log('info', `Using the snapshot "${name}" that an earlier start of this job made`);
      return found;
    }
    // The intent first: after a crash in between, the name is known to be ours.
    await bind(context, name, undefined);
    const made = await create(context, name);
    await journal.update((state) => ({ ...state, snapshot: { name, moref: made.id } }));
    return made;
  });
}

async function findUsable(context: ExportContext, name: string): Promise<Ref | undefined> {
  const { session, described, journal, ports, settings } = context;
  const options = { signal: ports.work.signal };
  const snapshots = await findSnapshots(session, described.vm, name, options);
  if (snapshots.length === 0) return undefined;
  const now = await serverTime(session, options);
  const { moref } = journal.state.snapshot ?? {};
  // Two of one name: a start was killed while vCenter was still at it.
  const kept = snapshots.find(({ ref }) => ref.id === moref) ?? snapshots[0];
  for (const snapshot of snapshots) {
    const tooOld = snapshot.createdAt !== undefined && now - snapshot.createdAt.getTime() > settings.snapshotMaxAgeMs;
    if (snapshot === kept && !tooOld) continue;
    ports.work.log('info', `Removing a snapshot "${name}" that cannot be used any more`);
    await removeSnapshot(session, snapshot.ref, options);
    if (snapshot === kept) return undefined;
  }
  return kept?.ref;
}

/** Notes the snapshot and forgets the disks of any other. */
async function bind(
  { journal, folder, described }: ExportContext,
  name: string,
  found: Ref | undefined,
): Promise<void> {
  const stale = journal.state.disks.map(({ file }) => file);
  await journal.update((state) => ({
    ...state,
    vm: described.vm.id,
    machine: described.machine,
    snapshot: { name, ...(found === undefined ? {} : { moref: found.id }) },
    disks: [],
  }));
  await folder.remove(stale);
}

async function create({ session, described, ports, request }: ExportContext, name: string): Promise<Ref> {
  const options = { signal: ports.work.signal };
  const description = `Temporary: export by hyper2kvm, job ${request.jobId}`;
  const { vm, quiesce } = described;
  if (quiesce) {
    try {
      const made = await createSnapshot(session, vm, { name, description, quiesce }, options);
      ports.work.log('info', `Snapshot "${name}" taken with the guest's file systems brought to rest`);
      return made;
    } catch (error) {
      if (!(error instanceof VimFault)) throw error;
      ports.work.log(
        'warn',
        `The guest could not bring its file systems to rest (${error.message}); the snapshot is taken as after a power cut`,
      );
    }
  }
  const made = await createSnapshot(session, vm, { name, description, quiesce: false }, options);
  ports.work.log('info', `Snapshot "${name}" taken`);
  return made;
}
