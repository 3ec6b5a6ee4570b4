import { setTimeout as sleep } from 'node:timers/promises';
import { JobError, type ArtifactDisk } from '@hyper2kvm/contracts';
import { addEvent, lasted, withLongSpan, type LongSpan } from '@hyper2kvm/runtime';
import { count, formatBytes, moveDurably } from '../files/index.js';
import { countDisk } from '../metrics.js';
import type { SourceDiskPlan, TransportName } from '../sources/index.js';
import type { ExportContext } from './context.js';
import { asFinished } from './finished.js';
import { diskFile } from './names.js';
import { freeBytes } from './space.js';
import { transferDisk, type Brought } from './transfer-disk.js';

/** Codes of a transfer that is worth beginning again while the source stands. */
const TRY_AGAIN = new Set(['EXPORT_TRANSFER', 'EXPORT_CORRUPT', 'EXPORT_MISMATCH']);
/** After these nothing of what was written is worth going on from. */
const WORTHLESS = new Set(['EXPORT_CORRUPT', 'EXPORT_MISMATCH', 'SOURCE_CHANGED']);

/** One disk, from its source to its place in the job's folder and the journal. */
export const bringDisk = (context: ExportContext, disk: SourceDiskPlan, signal: AbortSignal): Promise<ArtifactDisk> =>
  withLongSpan(
    'export.disk',
    {
      'job.id': context.request.jobId,
      'disk.index': disk.index,
      'disk.name': disk.name,
      'disk.capacity_bytes': disk.capacityBytes,
    },
    (span) => bring(context, disk, signal, span),
  );

async function bring(
  context: ExportContext,
  disk: SourceDiskPlan,
  signal: AbortSignal,
  span: LongSpan,
): Promise<ArtifactDisk> {
  const { folder, journal, ports, meter, settings } = context;
  ports.work.log('info', `Disk ${disk.index}: reading ${disk.name} begins (${formatBytes(disk.capacityBytes)})`, {
    course: true,
  });
  const start = performance.now();
  const { result, transport, checksums } = await withRetries(context, disk, signal, span);
  span.setAttributes({
    'disk.bytes_downloaded': result.bytesDownloaded,
    'disk.bytes_resumed': result.bytesResumed,
  });
  // Nobody else's disk is overwritten: the name in the job's folder belongs to the owner alone.
  await ports.work.assertOwner();
  const file = diskFile(disk.index);
  await moveDurably(folder.partial(file), folder.disk(file));
  const bytes = result.bytesDownloaded + result.bytesResumed;
  const entry: ArtifactDisk = {
    index: disk.index,
    name: disk.name,
    file,
    format: 'qcow2',
    capacity_bytes: disk.capacityBytes,
    bytes_downloaded: bytes,
    ...(result.digests.sha256 === undefined ? {} : { stream_sha256: result.digests.sha256 }),
    segments: result.segments,
    // A disk that was continued is read back in any case.
    verified: settings.readBack || result.bytesResumed > 0,
    transport,
    ...(checksums.length === 0 ? {} : { source_checksums: checksums }),
  };
  const finished = await asFinished(entry, folder.disk(file));
  await journal.update((state) => ({
    ...state,
    disks: [...state.disks.filter((other) => other.disk.index !== disk.index), finished],
  }));
  await folder.removePartial(file);
  meter.update(disk.index, { state: 'done', bytes_downloaded: bytes }, performance.now());
  countDisk(transport, 'success');
  ports.work.progress(meter.report());
  ports.work.log(
    'info',
    `Disk ${disk.index}: ${summary(result, transport, entry.verified, performance.now() - start)}`,
  );
  return entry;
}

function summary(
  { bytesDownloaded, bytesResumed, segments }: Brought['result'],
  transport: Brought['transport'],
  verified: boolean,
  ms: number,
): string {
  const resumed = bytesResumed > 0 ? ` (${formatBytes(bytesResumed)} were there from an earlier start)` : '';
  const checked = verified
    ? `content verified (${count(segments.length, 'segment')})`
    : 'not read back (read_back is off)';
  return `${transport === 'file' ? 'read' : 'downloaded'} ${formatBytes(bytesDownloaded)} in ${lasted(ms)}${resumed}, ${checked}`;
}

async function withRetries(
  context: ExportContext,
  disk: SourceDiskPlan,
  signal: AbortSignal,
  span: LongSpan,
): Promise<Brought> {
  const { settings, ports, source, folder, meter } = context;
  let retries = 0;
  let by: TransportName | undefined;
  for (let attempt = 0; ; attempt++) {
    try {
      return await transferDisk(context, disk, attempt, signal, (transport) => {
        by = transport;
        span.setAttributes({ 'disk.transport': transport });
      });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof JobError)) throw error;
      if (WORTHLESS.has(error.code)) await folder.removePartial(diskFile(disk.index));
      const failure = { 'error.type': error.code, 'error.message': error.message };
      if (source.otherWay?.(disk, error) === true) {
        addEvent('another way', failure);
        continue;
      }
      const pause = settings.diskRetryMs[retries++];
      if (!TRY_AGAIN.has(error.code) || pause === undefined) {
        if (by !== undefined) countDisk(by, 'failed');
        throw await named(context, disk, error);
      }
      addEvent('retry', { ...failure, pause_seconds: pause / 1000 });
      ports.work.log('warn', `Disk ${disk.index}: ${error.message}; it begins again in ${pause / 1000} s`);
      meter.update(disk.index, { state: 'waiting', done_bytes: 0, bytes_downloaded: 0 }, performance.now());
      await sleep(pause, undefined, { signal });
    }
  }
}

async function named({ settings }: ExportContext, disk: SourceDiskPlan, error: JobError): Promise<JobError> {
  const words =
    error.code === 'DISK_FULL'
      ? `no space left in ${settings.workDir} (${formatBytes(await freeBytes(settings.workDir))} free)`
      : error.message;
  return new JobError(error.code, `disk ${disk.index} (${disk.name}): ${words}`, {
    retryable: error.retryable,
    cause: error,
  });
}
