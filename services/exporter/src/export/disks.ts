import type { ArtifactDisk } from '@hyper2kvm/contracts';
import { addEvent } from '@hyper2kvm/runtime';
import type { SourceDiskPlan } from '../sources/index.js';
import { bringDisk } from './bring-disk.js';
import type { ExportContext } from './context.js';
import { alteration } from './finished.js';
import { Slots } from './slots.js';

/** Brings all disks that are not finished yet, side by side. The first failure stops the others. */
export async function exportDisks(context: ExportContext, signal: AbortSignal): Promise<ArtifactDisk[]> {
  const { machine, settings, ports } = context;
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  const perVm = new Slots(settings.maxDisksPerVm);
  const outcomes = await Promise.allSettled(
    machine.disks.map(async ({ index, name, capacity_bytes }) => {
      const disk: SourceDiskPlan = { index, name, capacityBytes: capacity_bytes };
      try {
        const bring = (): Promise<ArtifactDisk> => bringDisk(context, disk, stop);
        return (await finished(context, disk)) ?? (await perVm.run(stop, () => ports.diskSlots.run(stop, bring)));
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

/** The disk as an earlier start of this job finished it, from the same source, when its file is still what it was. */
async function finished(
  { journal, folder, ports, meter }: ExportContext,
  disk: SourceDiskPlan,
): Promise<ArtifactDisk | undefined> {
  const entry = journal.state.disks.find((candidate) => candidate.disk.index === disk.index);
  if (entry === undefined || entry.disk.capacity_bytes !== disk.capacityBytes) return undefined;
  const { file } = entry.disk;
  const altered = await alteration(entry, folder.disk(file));
  if (altered !== undefined) {
    await ports.work.assertOwner();
    await folder.remove([file]);
    ports.work.log(
      'warn',
      `Disk ${disk.index}: its finished image ${file} was altered (${altered}); it is fetched again`,
    );
    return undefined;
  }
  meter.update(disk.index, { state: 'done', bytes_downloaded: entry.disk.bytes_downloaded }, performance.now());
  addEvent('disk of an earlier start', { 'disk.index': disk.index });
  ports.work.log('info', `Disk ${disk.index}: finished and verified by an earlier start, not fetched again`);
  return entry.disk;
}
