import { open } from 'node:fs/promises';
import { JobError, SEGMENT_BYTES } from '@hyper2kvm/contracts';
import { bytesMeter, countRetry } from '../metrics.js';
import type { DiskAccess, SourceDiskPlan, TransportName } from '../sources/index.js';
import { transferAndVerify, type TransferResult } from '../transfer/index.js';
import type { ExportContext } from './context.js';
import { diskFile } from './names.js';

export interface Brought {
  readonly result: TransferResult;
  readonly transport: TransportName;
  /** `sha256:…`: of the source, as the source told them and as what came agrees with. */
  readonly checksums: string[];
}

/**
 * One try of one disk.
 * @param by called with the way that it goes
 * @throws JobError; the signal's reason
 */
export async function transferDisk(
  context: ExportContext,
  disk: SourceDiskPlan,
  attempt: number,
  signal: AbortSignal,
  by: (transport: TransportName) => void,
): Promise<Brought> {
  const { source, folder } = context;
  const access = await source.access(disk, attempt);
  by(access.transport);
  if (attempt > 0) countRetry(access.transport);
  try {
    // Only ranges go on from what is there.
    if (access.input.kind !== 'ranges') await folder.removePartial(diskFile(disk.index));
    const result = await pour(context, disk, access, signal);
    const checksums = await compareDigests(context, disk, access.transport, result);
    return { result, transport: access.transport, checksums };
  } catch (error) {
    // A file is the same at each try, and no datastore is to blame for it.
    const invalid = access.transport === 'file' && error instanceof JobError && error.code === 'EXPORT_CORRUPT';
    throw invalid ? new JobError('SOURCE_INVALID', error.message, { cause: error }) : error;
  } finally {
    await access.close?.();
  }
}

async function pour(
  { request, settings, ports, folder, source, meter, bandwidth }: ExportContext,
  disk: SourceDiskPlan,
  { input, digests, lost, transport }: DiskAccess,
  signal: AbortSignal,
): Promise<TransferResult> {
  const download = new Download(signal, lost);
  const file = diskFile(disk.index);
  const received = bytesMeter(transport);
  const report = (change: Parameters<typeof meter.update>[1]): void => {
    meter.update(disk.index, change, performance.now());
    ports.work.progress(meter.report());
  };
  report({ state: 'transferring', done_bytes: 0, bytes_downloaded: 0 });
  let leave: (() => void) | undefined;
  // A unix socket's path has room for 107 bytes only: the folder is named by a descriptor of ours.
  const directory = await open(folder.epochPath, 'r');
  try {
    const result = await transferAndVerify({
      task: {
        input,
        path: folder.partial(file),
        capacityBytes: disk.capacityBytes,
        segmentBytes: SEGMENT_BYTES,
        stallTimeoutMs: settings.stallTimeoutMs,
        // Told by `onStart`, and again with each change.
        bytesPerSecond: null,
        digests: [...(digests ?? [])],
        ...(input.kind === 'ranges' ? { journal: { path: folder.partialJournal(file), binding: source.binding } } : {}),
      },
      socketPath: `/proc/${process.pid}/fd/${directory.fd}/${disk.index}.nbd`,
      children: ports.children,
      readBack: settings.readBack,
      signal: download.signal,
      onStart: (control) => {
        leave = bandwidth.add(request.jobId, control);
      },
      progress: ({ stage, doneBytes, bytesDownloaded }) => {
        received(bytesDownloaded);
        if (stage === 'read-back') download.received();
        report(
          stage === 'transfer'
            ? { done_bytes: doneBytes, bytes_downloaded: bytesDownloaded }
            : { state: 'verifying', done_bytes: disk.capacityBytes, bytes_downloaded: bytesDownloaded },
        );
      },
    });
    received(result.bytesDownloaded);
    return result;
  } finally {
    download.received();
    leave?.();
    await directory.close();
  }
}

/** What ends a transfer: the work's end at any time, the source's loss only while something comes from it. */
class Download {
  readonly signal: AbortSignal;
  private readonly cut = new AbortController();
  private readonly onLost = (): void => this.cut.abort(this.lost?.reason);

  constructor(
    signal: AbortSignal,
    private readonly lost: AbortSignal | undefined,
  ) {
    this.signal = AbortSignal.any([signal, this.cut.signal]);
    if (lost?.aborted === true) this.onLost();
    else lost?.addEventListener('abort', this.onLost, { once: true });
  }

  /** From now on the source is not needed. */
  received(): void {
    this.lost?.removeEventListener('abort', this.onLost);
  }
}

/** @throws JobError EXPORT_CORRUPT, of a file SOURCE_CHECKSUM, when the source tells another digest than that of what came */
async function compareDigests(
  { source }: ExportContext,
  disk: SourceDiskPlan,
  transport: TransportName,
  { digests }: TransferResult,
): Promise<string[]> {
  const told = (await source.digestsOf?.(disk)) ?? {};
  const agreed: string[] = [...(source.checkedBefore?.(disk) ?? [])];
  for (const [name, expected] of Object.entries(told)) {
    const came = digests[name as keyof typeof digests];
    if (came === undefined) continue;
    if (came !== expected.toLowerCase())
      throw transport === 'file'
        ? new JobError('SOURCE_CHECKSUM', `its ${name} should be ${expected}, and is ${came}`)
        : new JobError('EXPORT_CORRUPT', `the source gives ${name} ${expected}, what came has ${came}`);
    agreed.push(`${name}:${came}`);
  }
  return agreed;
}
