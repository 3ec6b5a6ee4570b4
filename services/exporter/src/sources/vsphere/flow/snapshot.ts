import { VimFault } from '../faults.js';
import { createSnapshot, findSnapshots, removeSnapshot } from '../snapshots.js';
import { serverTime } from '../time.js';
import type { Ref } from '../values.js';
import { isCancelled } from './cancelled.js';
import { snapshotName, untilStopped, withVcenter, type FlowContext } from './context.js';

export interface JobSnapshot {
  readonly ref: Ref;
  readonly name: string;
  /** By vCenter's clock. */
  readonly createdAt: Date | undefined;
  /** Made by this start: nothing can have been read from it before. */
  readonly fresh: boolean;
}

/**
 * The one snapshot that all disks of the job come from: that of an earlier start where it still stands, else a new one.
 * Snapshots of other names are not touched.
 * @param unusable why one of an earlier start must not be used, or undefined
 */
export async function ensureSnapshot(context: FlowContext, unusable?: string): Promise<JobSnapshot> {
  const { session, described, work } = context;
  return withVcenter(session, `the snapshot of VM ${described.machine.name}`, async () => {
    const found = await findUsable(context, unusable);
    if (found === undefined) return makeSnapshot(context);
    work.log('info', `Using the snapshot "${found.name}" that an earlier start of this job made`);
    return found;
  });
}

async function findUsable(context: FlowContext, unusable: string | undefined): Promise<JobSnapshot | undefined> {
  const { session, described, notes, work, settings, jobId } = context;
  const name = snapshotName(jobId);
  const options = untilStopped(context);
  const snapshots = await findSnapshots(session, described.vm, name, options);
  const { moref } = notes.state.snapshot ?? {};
  if (snapshots.length === 0) {
    if (moref !== undefined) work.log('warn', `The snapshot "${name}" of an earlier start is gone from vCenter`);
    return undefined;
  }
  const now = await serverTime(session, options);
  // Two of one name: a start was killed while vCenter was still at it.
  const kept = snapshots.find(({ ref }) => ref.id === moref) ?? snapshots[0];
  let usable: JobSnapshot | undefined;
  for (const snapshot of snapshots) {
    const { ref, createdAt } = snapshot;
    const age = createdAt === undefined ? 0 : now - createdAt.getTime();
    const why =
      snapshot !== kept
        ? 'there are two of this name'
        : (unusable ??
          (age > settings.snapshotMaxAgeMs ? `it is older than ${hours(settings.snapshotMaxAgeMs)}` : undefined));
    if (why === undefined) {
      usable = { ref, name, createdAt, fresh: false };
    } else {
      work.log('info', `Removing a snapshot "${name}" that cannot be used any more: ${why}`);
      await removeSnapshot(session, ref, options);
    }
  }
  // One that a start made and did not live to note.
  if (usable !== undefined && usable.ref.id !== moref) await bindTo(context, { name, moref: usable.ref.id });
  return usable;
}

async function makeSnapshot(context: FlowContext): Promise<JobSnapshot> {
  const { notes, jobId, described, session } = context;
  const name = snapshotName(jobId);
  // The intent first: after a crash in between, the name is known to be ours.
  await bindTo(context, { name });
  const ref = await create(context, name);
  await notes.set({ snapshot: { name, moref: ref.id } });
  const [made] = (await findSnapshots(session, described.vm, name, untilStopped(context))).filter(
    (snapshot) => snapshot.ref.id === ref.id,
  );
  return { ref, name, createdAt: made?.createdAt, fresh: true };
}

/** Notes the snapshot and the VM that has it, and forgets what was noted of any other. */
async function bindTo({ notes, described }: FlowContext, snapshot: { name: string; moref?: string }): Promise<void> {
  const { vm, machine } = described;
  await notes.set({ vm: vm.id, machine, snapshot, files: undefined, change_version: undefined });
}

async function create({ session, described, work, jobId }: FlowContext, name: string): Promise<Ref> {
  const description = `Temporary: export by hyper2kvm, job ${jobId}`;
  const { vm, quiesce } = described;
  const make = async (quiet: boolean): Promise<Ref> =>
    patiently(work.signal, async (signal) =>
      createSnapshot(session, vm, { name, description, quiesce: quiet }, { signal }),
    );
  if (quiesce) {
    try {
      const made = await make(true);
      work.log('info', `Snapshot "${name}" taken with the guest's file systems brought to rest`);
      return made;
    } catch (error) {
      if (!(error instanceof VimFault)) throw error;
      work.log(
        'warn',
        `The guest could not bring its file systems to rest (${error.message}); the snapshot is taken as after a power cut`,
      );
    }
  }
  const made = await make(false);
  work.log('info', `Snapshot "${name}" taken`);
  return made;
}

/**
 * A snapshot that vCenter is making when the job is cancelled is waited for: otherwise it would appear after the clean-up
 * has looked for it. Work that goes on elsewhere finds it by its name.
 */
async function patiently<T>(signal: AbortSignal, make: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const onAbort = (): void => {
    if (!isCancelled(signal)) stop.abort(signal.reason);
  };
  signal.throwIfAborted();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const made = await make(stop.signal);
    signal.throwIfAborted();
    return made;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

export const hours = (ms: number): string => `${Math.round(ms / 360_000) / 10} h`;
