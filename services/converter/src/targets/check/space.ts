import { access, constants, stat } from 'node:fs/promises';
import path from 'node:path';
import type { ConversionOptions, Machine } from '@hyper2kvm/contracts';
import { diskFree } from '@hyper2kvm/runtime';
import { OVERLAY_BYTES } from '../../space.js';
import type { ConverterSettings } from '../../work.js';
import { closedFolders } from '../access.js';
import type { Findings } from './findings.js';

interface SpaceQuestion {
  readonly machine: Machine;
  readonly options: ConversionOptions;
  readonly settings: ConverterSettings;
  /** Where the output goes; it need not be there yet. */
  readonly root: string;
  readonly reachesStorage: boolean;
}

/** Whether the output can be written, and has room. */
export async function checkSpaces(
  { machine, options, settings, root, reachesStorage }: SpaceQuestion,
  findings: Findings,
): Promise<{ output_free_bytes: number; work_free_bytes: number }> {
  const outputFree = (await diskFree(root)) ?? 0;
  const workFree = (await diskFree(settings.workDir)) ?? 0;
  if (!reachesStorage) {
    findings.concern('TARGET', `${root} was not looked at: the converter that answered is none of the target's pool`);
    return { output_free_bytes: outputFree, work_free_bytes: workFree };
  }
  const existing = await nearest(root);
  const writable = await access(existing, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!(await stat(existing)).isDirectory())
    findings.problem('TARGET_UNSUITABLE', `the output folder ${root} cannot be: ${existing} is no folder`);
  else if (!writable)
    findings.problem(
      'TARGET_UNSUITABLE',
      `the output folder ${root} cannot be written by this converter (${existing})`,
    );
  const closed = options.to_libvirt ? await closedFolders(existing) : [];
  if (closed.length > 0)
    findings.concern('TARGET', `libvirt's QEMU user cannot pass ${closed.join(', ')}; chmod o+x opens it`);
  checkRoom(machine, root, outputFree, findings);
  if (workFree < OVERLAY_BYTES)
    findings.problem(
      'DISK_FULL',
      `${settings.workDir} has ${gib(workFree)} free, and ${gib(OVERLAY_BYTES)} are needed`,
    );
  return { output_free_bytes: outputFree, work_free_bytes: workFree };
}

/** Holes are not written: a disk needs at most what it uses at its source, and may grow to its capacity. */
function checkRoom({ disks }: Machine, root: string, freeBytes: number, findings: Findings): void {
  const capacity = disks.reduce((sum, disk) => sum + disk.capacity_bytes, 0);
  const used = disks.reduce((sum, disk) => sum + Math.min(disk.capacity_bytes, disk.used_bytes ?? 0), 0);
  const has = `${root} has ${gib(freeBytes)} free`;
  if (freeBytes < used) findings.concern('SPACE', `${has}, and the disks of the VM use ${gib(used)}`);
  else if (freeBytes < capacity)
    findings.concern('TARGET', `${has}, and the disks of the VM may grow to ${gib(capacity)}`);
}

/** What is there of a path: a folder, or what stands in its way. */
async function nearest(folder: string): Promise<string> {
  const found = await stat(folder).catch(() => undefined);
  const parent = path.dirname(folder);
  return found !== undefined || parent === folder ? folder : nearest(parent);
}

const gib = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
