import { JobError, type Artifact } from '@hyper2kvm/contracts';
import { withLongSpan } from '@hyper2kvm/runtime';
import { writeJson } from '../files/index.js';
import { openSource, type Remains, type Source } from '../sources/index.js';
import { readArtifact } from './artifact-file.js';
import { asJobError, isCancel, withSentences } from './failure.js';
import { JobFolder } from './job-folder.js';
import { Journal } from './journal.js';
import type { ExportPorts, ExportRequest } from './ports.js';
import { ProgressMeter } from './progress-meter.js';
import { runExport } from './run.js';
import type { ExportSettings } from './settings.js';

export interface Exported {
  readonly artifact: Artifact;
  /** Absolute folder of artifact.json and the disks. */
  readonly artifactDir: string;
  /** Of all disks, over all starts of the job. */
  readonly bytesDownloaded: number;
  readonly durationSeconds: number;
  /** The snapshot that could not be removed. */
  readonly leftover?: { readonly vm: string; readonly snapshot: string };
}

interface Opened {
  readonly folder: JobFolder;
  readonly meter: ProgressMeter;
  source?: Source;
}

/**
 * Exports all disks of a VM, as they are at one instant, into the job's folder and leaves nothing on the source. Begun again
 * after a crash it goes on: finished disks of the same instant are not fetched again, a finished artifact is given as it is.
 *
 * When it fails, lease, snapshot and files are removed before the error is thrown (but see `ExportRequest.keepForRetry`). When it
 * is stopped because this process ends or another worker took over, everything stays for the next start.
 * @throws JobError; the signal's reason when it was stopped
 */
export async function exportVm(
  request: ExportRequest,
  settings: ExportSettings,
  ports: ExportPorts,
): Promise<Exported> {
  const startedAt = performance.now();
  const { work } = ports;
  const folder = new JobFolder(settings.workDir, request.jobId, request.attempt, request.epoch);
  const opened: Opened = { folder, meter: new ProgressMeter() };
  try {
    await folder.prepare();
    const journal = await Journal.open(folder.journalFile, request.jobId);
    const source = (opened.source = openSource({
      request,
      settings,
      ports,
      notes: journal.notes,
      percent: () => opened.meter.percent,
    }));
    const before = await readArtifact(folder, request.jobId);
    if (before !== undefined) work.log('info', 'The export was finished by an earlier start; nothing is fetched again');
    const made =
      before ?? (await runExport({ request, settings, ports, folder, journal, source, meter: opened.meter }));
    const { artifact, remains } = await finish(ports, folder, journal, source, made);
    return {
      artifact,
      artifactDir: folder.path,
      bytesDownloaded: artifact.disks.reduce((sum, disk) => sum + disk.bytes_downloaded, 0),
      durationSeconds: (performance.now() - startedAt) / 1000,
      ...(remains?.snapshot === undefined ? {} : { leftover: remains.snapshot }),
    };
  } catch (error) {
    throw await fail(error, request, settings, ports, opened);
  } finally {
    await opened.source?.close();
  }
}

/** Leaves no snapshot, no folder of this epoch and no journal behind a finished artifact. A failure is told, not thrown. */
async function finish(
  { work }: ExportPorts,
  folder: JobFolder,
  journal: Journal,
  source: Source,
  artifact: Artifact,
): Promise<{ artifact: Artifact; remains: Remains | undefined }> {
  // The artifact stands, whatever happens here.
  const warn = (error: Error): void => work.log('warn', error.message);
  await folder.removeEpoch().catch(warn);
  const remains = await cleanUp(source);
  if (remains?.left === undefined) await journal.remove().catch(warn);
  else work.log('error', remains.left);
  if ((remains?.concerns ?? []).length === 0) return { artifact, remains };
  const told = { ...artifact, concerns: [...new Set([...(artifact.concerns ?? []), ...(remains?.concerns ?? [])])] };
  await writeJson(folder.artifactFile, told).catch(warn);
  return { artifact: told, remains };
}

/** Cleans up where that is this worker's to do. @returns what to throw */
async function fail(
  error: unknown,
  request: ExportRequest,
  settings: ExportSettings,
  ports: ExportPorts,
  opened: Opened,
): Promise<unknown> {
  const { work } = ports;
  const { reason } = work.signal as { reason: unknown };
  if (work.signal.aborted && !isCancel(reason)) return reason;
  let failure = work.signal.aborted ? reason : asJobError(error, settings.workDir);
  if (!work.signal.aborted) {
    try {
      await work.assertOwner();
    } catch (stopped) {
      // The failure came from another worker's taking over: then snapshot and files are theirs.
      if (!isCancel(stopped)) return stopped;
      failure = stopped;
    }
  }
  if (request.keepForRetry === true && failure instanceof JobError && isWorthKeeping(failure)) {
    work.log('info', 'Snapshot and finished disks are kept for the next attempt');
    return withSentences(failure, opened.source?.aftermath?.() ?? []);
  }
  const remains = await giveUp(ports, opened);
  const sentences = [...(remains?.left === undefined ? [] : [remains.left]), ...(opened.source?.aftermath?.() ?? [])];
  if (failure instanceof JobError) return withSentences(failure, sentences);
  for (const sentence of sentences) work.log('error', sentence);
  return failure;
}

const cleanUp = (source: Source): Promise<Remains | undefined> =>
  withLongSpan('export.cleanup', {}, async (span) => {
    const remains = await source.cleanup();
    if (remains?.left !== undefined) span.fail(new JobError('CLEANUP_INCOMPLETE', remains.left));
    return remains;
  });

/** A retry can go on from it: the source stands, and is still the same. */
const isWorthKeeping = (failure: JobError): boolean => failure.retryable && failure.code !== 'SOURCE_CHANGED';

/** After a failure or a cancel: lease, snapshot, files. */
async function giveUp({ work }: ExportPorts, { folder, source, meter }: Opened): Promise<Remains | undefined> {
  work.log('info', 'Cleaning up: the lease, the snapshot and the files of this job');
  work.progress(meter.report('cleanup'));
  const told = (error: Error): void => work.log('warn', `Files of the job could not be removed: ${error.message}`);
  // First of all: it makes room where the disk is full.
  await folder.removeEpoch().catch(told);
  const remains = source === undefined ? undefined : await cleanUp(source);
  // Finished disks of a snapshot that is gone are of no use to a retry. With one that could not be removed they stand.
  if (remains?.left === undefined) await folder.removeAll().catch(told);
  work.log('info', 'Cleaning up has ended');
  work.progress(meter.report('cleanup'));
  return remains;
}
