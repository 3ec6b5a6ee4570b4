import { open, rm, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { JobError, SEGMENT_BYTES, type ArtifactDisk } from '@hyper2kvm/contracts';
import { count, formatBytes, moveDurably } from '../files/index.js';
import { assignDisks, diskTrust, diskUrl, type Lease, type SourceDisk } from '../sources/vsphere/index.js';
import { transferAndVerify, type TransferResult } from '../transfer/index.js';
import type { ExportContext } from './context.js';
import type { ProgressMeter } from './progress-meter.js';
import { Slots } from './slots.js';
import { noSpace } from './space.js';

/** Codes of a transfer that is worth beginning again while the lease stands. */
const TRY_AGAIN = new Set(['EXPORT_TRANSFER', 'EXPORT_CORRUPT', 'EXPORT_MISMATCH']);

/** Brings all disks that are not finished yet, side by side. The first failure stops the others. */
export async function exportDisks(
  context: ExportContext,
  lease: Lease,
  meter: ProgressMeter,
  signal: AbortSignal,
): Promise<ArtifactDisk[]> {
  const { described, settings, ports } = context;
  const offered = assignDisks(described.disks, lease.disks);
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  const perVm = new Slots(settings.maxDisksPerVm);
  const outcomes = await Promise.allSettled(
    described.disks.map(async (disk) => {
      try {
        const url = offered.get(disk.index);
        if (url === undefined) throw new JobError('EXPORT_LEASE', `the lease has no URL for disk ${disk.index}`);
        const bring = (): Promise<ArtifactDisk> => exportDisk(context, disk, url, meter, stop);
        return (
          (await finished(context, disk, meter)) ?? (await perVm.run(stop, () => ports.diskSlots.run(stop, bring)))
        );
      } catch (error) {
        failed.abort(error);
        throw error;
      }
    }),
  );
  // What ended the others is told by the signals; the first cause counts.
  signal.throwIfAborted();
  failed.signal.throwIfAborted();
  return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
}

const fileOf = (disk: SourceDisk): string => `disk${disk.index}.qcow2`;

/** The disk as an earlier start of this job finished it, from the same snapshot. */
async function finished(
  { journal, folder, ports }: ExportContext,
  disk: SourceDisk,
  meter: ProgressMeter,
): Promise<ArtifactDisk | undefined> {
  const done = journal.state.disks.find(({ index }) => index === disk.index);
  if (done === undefined || done.capacity_bytes !== disk.capacity_bytes) return undefined;
  const there = await stat(folder.disk(done.file)).then(
    (file) => file.isFile(),
    () => false,
  );
  if (!there) return undefined;
  meter.update(disk.index, { state: 'done', bytes_downloaded: done.bytes_downloaded }, performance.now());
  ports.work.log('info', `Disk ${disk.index}: finished and verified by an earlier start, not fetched again`);
  return done;
}

async function exportDisk(
  context: ExportContext,
  disk: SourceDisk,
  offered: Lease['disks'][number],
  meter: ProgressMeter,
  signal: AbortSignal,
): Promise<ArtifactDisk> {
  const { folder, journal, ports } = context;
  const result = await transferWithRetries(context, disk, offered, meter, signal);
  // Nobody else's disk is overwritten: the name in the job's folder belongs to the owner alone.
  await ports.work.assertOwner();
  const file = fileOf(disk);
  await moveDurably(folder.partial(file), folder.disk(file));
  const entry: ArtifactDisk = {
    index: disk.index,
    name: disk.name,
    file,
    format: 'qcow2',
    capacity_bytes: disk.capacity_bytes,
    bytes_downloaded: result.bytesDownloaded,
    stream_sha256: result.streamSha256,
    segments: result.segments,
    verified: true,
  };
  await journal.update((state) => ({
    ...state,
    disks: [...state.disks.filter(({ index }) => index !== entry.index), entry],
  }));
  meter.update(disk.index, { state: 'done', bytes_downloaded: result.bytesDownloaded }, performance.now());
  ports.work.progress(meter.report());
  ports.work.log(
    'info',
    `Disk ${disk.index}: downloaded ${formatBytes(result.bytesDownloaded)}, content verified (${count(result.segments.length, 'segment')})`,
  );
  return entry;
}

async function transferWithRetries(
  context: ExportContext,
  disk: SourceDisk,
  offered: Lease['disks'][number],
  meter: ProgressMeter,
  signal: AbortSignal,
): Promise<TransferResult> {
  const { settings, ports } = context;
  for (let attempt = 0; ; attempt++) {
    try {
      return await transfer(context, disk, offered, meter, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof JobError)) throw error;
      const words = error.code === 'DISK_FULL' ? await noSpace(settings.workDir) : error.message;
      const named = new JobError(error.code, `disk ${disk.index} (${disk.name}): ${words}`, {
        retryable: error.retryable,
      });
      const pause = settings.diskRetryMs[attempt];
      if (!TRY_AGAIN.has(error.code) || pause === undefined) throw named;
      ports.work.log('warn', `Disk ${disk.index}: ${error.message}; it begins again in ${pause / 1000} s`);
      await sleep(pause, undefined, { signal });
    }
  }
}

async function transfer(
  { request, settings, ports, folder, session }: ExportContext,
  disk: SourceDisk,
  offered: Lease['disks'][number],
  meter: ProgressMeter,
  signal: AbortSignal,
): Promise<TransferResult> {
  const partial = folder.partial(fileOf(disk));
  await rm(partial, { force: true });
  const url = diskUrl(offered.url, request.endpoint.server);
  const cookie = session.cookieFor(url);
  const report = (change: Parameters<ProgressMeter['update']>[1]): void => {
    meter.update(disk.index, change, performance.now());
    ports.work.progress(meter.report());
  };
  report({ state: 'transferring', done_bytes: 0, bytes_downloaded: 0 });
  // A unix socket's path has room for 107 bytes only: the folder is named by a descriptor of ours.
  const directory = await open(folder.epochPath, 'r');
  try {
    return await transferAndVerify({
      task: {
        input: {
          kind: 'nfc',
          url: url.href,
          ...(cookie === undefined ? {} : { cookie }),
          trust: diskTrust(request.endpoint.trust, url, request.endpoint.server, offered.sslThumbprint),
        },
        path: partial,
        capacityBytes: disk.capacity_bytes,
        segmentBytes: SEGMENT_BYTES,
        stallTimeoutMs: settings.stallTimeoutMs,
      },
      socketPath: `/proc/${process.pid}/fd/${directory.fd}/${disk.index}.nbd`,
      children: ports.children,
      signal,
      progress: ({ stage, doneBytes, bytesDownloaded }) =>
        report(
          stage === 'transfer'
            ? { done_bytes: doneBytes, bytes_downloaded: bytesDownloaded }
            : { state: 'verifying', done_bytes: disk.capacity_bytes, bytes_downloaded: bytesDownloaded },
        ),
    });
  } finally {
    await directory.close();
  }
}
