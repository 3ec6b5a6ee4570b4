import { JobError, type Artifact, type Machine } from '@hyper2kvm/contracts';
import { count, formatBytes, writeJson } from '../files/index.js';
import {
  VimSession,
  abortLease,
  completeLease,
  describe,
  leaseRef,
  type Described,
  type Endpoint,
} from '../sources/vsphere/index.js';
import { readArtifact } from './artifact-file.js';
import { orphanMessage, removeJobSnapshots } from './cleanup.js';
import { snapshotName, type ExportContext } from './context.js';
import { exportDisks } from './disks-stage.js';
import { JobFolder } from './job-folder.js';
import { Journal } from './journal.js';
import { LeaseKeeper } from './lease-keeper.js';
import { openLease } from './lease-stage.js';
import type { ExportPorts, ExportRequest, ExportSettings } from './ports.js';
import { ProgressMeter } from './progress-meter.js';
import { ensureSnapshot } from './snapshot-stage.js';
import { checkSpace } from './space.js';

export interface Exported {
  readonly artifact: Artifact;
  /** Absolute folder of artifact.json and the disks. */
  readonly artifactDir: string;
  readonly bytesDownloaded: number;
  readonly durationSeconds: number;
}

/**
 * Exports all disks of a VM from one snapshot into the job's folder and leaves nothing on vCenter. Begun again after a
 * crash it goes on: finished disks of the same snapshot are not fetched again, a finished artifact is given as it is.
 *
 * When it fails, lease, snapshot and files are removed before the error is thrown. When it is stopped because this process
 * ends or another worker took over, everything stays for the next start.
 * @throws JobError; the signal's reason when it was stopped
 */
export async function exportVm(
  request: ExportRequest,
  settings: ExportSettings,
  ports: ExportPorts,
): Promise<Exported> {
  const startedAt = performance.now();
  const folder = new JobFolder(settings.workDir, request.jobId, request.attempt, request.epoch);
  const { work } = ports;
  let open: Partial<ExportContext> = { folder };
  try {
    await folder.prepare();
    const journal = await Journal.open(folder.journalFile, request.jobId);
    open = { folder, journal };
    const before = await readArtifact(folder, request.jobId);
    const artifact = before ?? (await run(request, settings, ports, folder, journal, (context) => (open = context)));
    if (before !== undefined) work.log('info', 'The export was finished by an earlier start; nothing is fetched again');
    await finish(request, settings, ports, folder, journal, open.session, artifact.machine);
    return {
      artifact,
      artifactDir: folder.path,
      bytesDownloaded: artifact.disks.reduce((sum, disk) => sum + disk.bytes_downloaded, 0),
      durationSeconds: (performance.now() - startedAt) / 1000,
    };
  } catch (error) {
    const { reason } = work.signal as { reason: unknown };
    if (work.signal.aborted && !isCancel(reason)) throw reason;
    const failure = work.signal.aborted ? reason : asJobError(error, settings.workDir);
    // The failure may come from another worker's taking over: then snapshot and files are theirs.
    if (!work.signal.aborted) await work.assertOwner();
    const orphan = await giveUp(request, settings, open).catch((cleanup: Error) => {
      work.log('warn', `Files of the job could not be removed: ${cleanup.message}`);
      return undefined;
    });
    if (orphan === undefined) throw failure;
    if (failure instanceof JobError) throw withOrphan(failure, orphan);
    work.log('error', orphan);
    throw failure;
  } finally {
    await open.session?.close();
  }
}

/** From the login to artifact.json. */
async function run(
  request: ExportRequest,
  settings: ExportSettings,
  ports: ExportPorts,
  folder: JobFolder,
  journal: Journal,
  opened: (context: Partial<ExportContext>) => void,
): Promise<Artifact> {
  const { work } = ports;
  const options = { signal: work.signal };
  const session = await VimSession.login(request.endpoint, options);
  opened({ folder, journal, session });
  const moref = journal.state.vm ?? request.moref;
  const fresh = await describe(session, { vmName: request.vmName, ...(moref === undefined ? {} : { moref }) }, options);
  const described = withMachine(fresh, journal.state.machine);
  const context: ExportContext = { request, settings, ports, folder, journal, session, described };
  opened(context);
  await ports.started?.(described.machine);
  work.log('info', foundMessage(described.machine));
  const warning = await checkSpace(folder.path, described.disks.length, described.committedBytes);
  if (warning !== undefined) work.log('warn', warning);

  const meter = new ProgressMeter(described.machine);
  work.progress(meter.report());
  await work.assertOwner();
  const snapshot = await ensureSnapshot(context);
  const lease = await openLease(context, snapshot);
  const keeper = new LeaseKeeper(session, lease, () => meter.percent);
  try {
    const disks = await exportDisks(context, lease, meter, AbortSignal.any([work.signal, keeper.lost]));
    await keeper.stop();
    await work.assertOwner();
    // All content is verified by now; what Complete answers cannot change it.
    await completeLease(session, lease.ref, options).catch((error: Error) => {
      work.log('warn', `vCenter did not take the end of the export lease: ${error.message}`);
      return abortLease(session, lease.ref).catch(() => {});
    });
    await journal.update((state) => ({ ...state, lease: undefined }));
    const artifact: Artifact = {
      version: 1,
      job_id: request.jobId,
      attempt: request.attempt,
      machine: described.machine,
      disks: disks.toSorted((a, b) => a.index - b.index),
      created_at: new Date().toISOString(),
    };
    await work.assertOwner();
    await writeJson(folder.artifactFile, artifact);
    return artifact;
  } finally {
    await keeper.stop();
  }
}

/** Leaves no snapshot, no folder of this epoch and no journal behind a finished artifact. A failure is told, not thrown. */
async function finish(
  request: ExportRequest,
  settings: ExportSettings,
  ports: ExportPorts,
  folder: JobFolder,
  journal: Journal,
  session: VimSession | undefined,
  machine: Machine,
): Promise<void> {
  // The artifact stands, whatever happens here.
  await folder.removeEpoch().catch((error: Error) => ports.work.log('warn', error.message));
  const { vm, snapshot } = journal.state;
  if (vm === undefined || snapshot === undefined) return;
  const orphan = await removeLeftovers(request.endpoint, settings, vm, snapshot.name, machine.name, session);
  if (orphan === undefined) {
    await journal.remove().catch((error: Error) => ports.work.log('warn', error.message));
    ports.work.log('info', `Snapshot "${snapshot.name}" removed`);
  } else {
    ports.work.log('error', orphan);
  }
}

async function removeLeftovers(
  endpoint: Endpoint,
  settings: ExportSettings,
  vm: string,
  name: string,
  vmName: string,
  session: VimSession | undefined,
): Promise<string | undefined> {
  let own: VimSession | undefined;
  try {
    const use = session ?? (own = await VimSession.login(endpoint));
    const why = await removeJobSnapshots(use, { type: 'VirtualMachine', id: vm }, name, settings.cleanupRetryMs);
    return why === undefined ? undefined : orphanMessage(name, vmName, why);
  } catch (error) {
    return orphanMessage(name, vmName, error instanceof Error ? error.message : String(error));
  } finally {
    await own?.close();
  }
}

/** After a failure: lease, snapshot, files. Returns what is left on vCenter, in words. */
async function giveUp(
  request: ExportRequest,
  settings: ExportSettings,
  open: Partial<ExportContext>,
): Promise<string | undefined> {
  const { folder, journal, session } = open;
  const { lease, snapshot, vm, machine, disks = [] } = journal?.state ?? {};
  if (session !== undefined && lease !== undefined) await abortLease(session, leaseRef(lease)).catch(() => {});
  let orphan: string | undefined;
  if (vm !== undefined && snapshot !== undefined) {
    const name = snapshotName(request.jobId);
    orphan = await removeLeftovers(request.endpoint, settings, vm, name, machine?.name ?? request.vmName, session);
  }
  await folder?.removeEpoch();
  // Disks of a snapshot that is gone are of no use to a retry. The journal stays with a snapshot that does.
  if (orphan === undefined) await folder?.removeAll();
  else await folder?.remove(disks.map(({ file }) => file));
  return orphan;
}

/** The machine as it was described before the snapshot was made. */
function withMachine(fresh: Described, machine: Machine | undefined): Described {
  if (machine === undefined) return fresh;
  const names = new Map(machine.disks.map(({ key, name }) => [key, name]));
  return { ...fresh, machine, disks: fresh.disks.map((disk) => ({ ...disk, name: names.get(disk.key) ?? disk.name })) };
}

function foundMessage(machine: Machine): string {
  const size = machine.disks.reduce((sum, disk) => sum + disk.capacity_bytes, 0);
  const firmware = machine.firmware === 'efi' ? `UEFI${machine.secure_boot ? ' with Secure Boot' : ''}` : 'BIOS';
  return `Found VM ${machine.name}: ${count(machine.disks.length, 'disk')}, ${formatBytes(size)}, ${firmware}, ${count(machine.cpus, 'CPU')}`;
}

const isCancel = (reason: unknown): boolean =>
  (reason as { kind?: unknown } | undefined)?.kind === 'cancelled' ||
  (reason instanceof JobError && reason.code === 'CANCELLED');

/** Whatever it was, this attempt ends with an answer: what is not expected is INTERNAL, and cleaned up like the rest. */
function asJobError(error: unknown, folder: string): JobError {
  if (error instanceof JobError) return error;
  const { code, message } =
    error instanceof Error ? (error as NodeJS.ErrnoException) : { code: '', message: String(error) };
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new JobError('DISK_FULL', `no space left in ${folder}`, { cause: error });
  return new JobError('INTERNAL', `the export failed: ${message}`, { cause: error });
}

const withOrphan = (failure: JobError, orphan: string): JobError =>
  new JobError(failure.code, `${failure.message}. ${orphan}`, { cause: failure, retryable: failure.retryable });
