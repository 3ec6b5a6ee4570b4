import type { Artifact, Machine } from '@hyper2kvm/contracts';
import { ExportOptions } from '@hyper2kvm/contracts';
import { withLongSpan, withSpan } from '@hyper2kvm/runtime';
import { count, formatBytes, writeJson } from '../files/index.js';
import type { PreparedSource, Source } from '../sources/index.js';
import { Bandwidth } from './bandwidth.js';
import { exportDisks } from './disks.js';
import type { JobFolder } from './job-folder.js';
import type { Journal } from './journal.js';
import type { ExportPorts, ExportRequest } from './ports.js';
import type { ProgressMeter } from './progress-meter.js';
import type { ExportSettings } from './settings.js';
import { checkSpace, stillNeeded } from './space.js';
import { SpaceWatch } from './space-watch.js';

export interface Run {
  readonly request: ExportRequest;
  readonly settings: ExportSettings;
  readonly ports: ExportPorts;
  readonly folder: JobFolder;
  readonly journal: Journal;
  readonly source: Source;
  readonly meter: ProgressMeter;
}

/** From the first look at the source to artifact.json. */
export async function runExport(run: Run): Promise<Artifact> {
  const { request, settings, ports, folder, journal, source, meter } = run;
  const { work } = ports;
  const job = { 'job.id': request.jobId };
  const options = ExportOptions.parse(request.options ?? {});
  const { machine, concerns, neededBytes } = await withLongSpan('export.describe', job, () => source.describe());
  meter.begin(machine);
  await ports.started?.(machine);
  work.log('info', foundMessage(machine));
  for (const concern of concerns) work.log('warn', concern);
  work.progress(meter.report());

  const needed = async (): Promise<number> =>
    stillNeeded(machine, neededBytes, folder, new Set(journal.state.disks.map(({ disk }) => disk.index)));
  await checkSpace(folder.path, await needed(), settings.minFreeBytes);
  await work.assertOwner();
  const prepared = await source.prepare(options.transport);
  const space = new SpaceWatch(folder.path, settings.minFreeBytes, settings.spaceCheckMs, needed);
  const bandwidth = ports.bandwidth ?? new Bandwidth();
  const endBandwidth = bandwidth.begin(request.jobId, options.bandwidth_bytes_per_second ?? null);
  try {
    await bind(run, prepared);
    const context = { request, settings, ports, folder, journal, machine, source: prepared, bandwidth, meter };
    const disks = await exportDisks(context, AbortSignal.any([work.signal, prepared.lost, space.full]));
    await work.assertOwner();
    // All content is verified by now; what the source answers cannot change it.
    return await withSpan('export.artifact', job, async () => {
      await prepared.complete();
      const artifact: Artifact = {
        version: 1,
        job_id: request.jobId,
        attempt: request.attempt,
        machine,
        disks: disks.toSorted((a, b) => a.index - b.index),
        ...concernsOf([...concerns, ...(prepared.concerns ?? []), ...(settings.readBack ? [] : [NOT_READ_BACK])]),
        created_at: new Date().toISOString(),
      };
      await work.assertOwner();
      await writeJson(folder.artifactFile, artifact);
      work.log('info', `Exported: ${count(disks.length, 'disk')} in ${folder.path}`);
      return artifact;
    });
  } finally {
    endBandwidth();
    space.stop();
    await prepared.close();
  }
}

const NOT_READ_BACK = 'The images were not read back after they were written (read_back is off)';

const concernsOf = (concerns: readonly string[]): Pick<Artifact, 'concerns'> =>
  concerns.length === 0 ? {} : { concerns: [...concerns] };

/** Notes what the disks come from, and drops all that came from anything else: content of two instants is never mixed. */
async function bind({ journal, folder, ports }: Run, { binding }: PreparedSource): Promise<void> {
  if (journal.state.binding === binding) return;
  await ports.work.assertOwner();
  const stale = journal.state.disks.map(({ disk }) => disk.file);
  if (journal.state.binding !== undefined)
    ports.work.log(
      'warn',
      `The source is not what an earlier start of this job read: the export starts anew${stale.length === 0 ? '' : `, ${count(stale.length, 'finished disk')} dropped`}`,
    );
  await journal.update((state) => ({ ...state, binding, disks: [] }));
  await folder.remove(stale);
  await folder.removePartials();
}

function foundMessage(machine: Machine): string {
  const size = machine.disks.reduce((sum, disk) => sum + disk.capacity_bytes, 0);
  const firmware = machine.firmware === 'efi' ? `UEFI${machine.secure_boot ? ' with Secure Boot' : ''}` : 'BIOS';
  return `Found VM ${machine.name}: ${count(machine.disks.length, 'disk')}, ${formatBytes(size)}, ${firmware}, ${count(machine.cpus, 'CPU')}`;
}
