import type { Appliance } from '../../guest/index.js';
import type { BootEntry } from '../bootloader/index.js';
import { compareVersions } from '../kernels.js';
import type { InitramfsBackend } from './backends/index.js';

/** A kernel that the boot loader may start. */
export interface BootableKernel {
  readonly version: string;
  /** Undefined for a kernel that needs none. */
  readonly image: string | undefined;
  /** Started when nobody chooses. */
  readonly isDefault: boolean;
}

export interface Kernels {
  /** Newest first. */
  readonly kernels: readonly BootableKernel[];
  /** Entries that start none of these: rescue systems, kernels that are gone. */
  readonly skipped: readonly { readonly entry: BootEntry; readonly why: string }[];
}

/** RHEL's entry of last resort has an initramfs with every driver, and modules of whichever kernel it was made from. */
const RESCUE = /\/vmlinuz-0-rescue-/;

/** The kernels of the boot entries whose modules are in the guest, each once. */
export async function bootableKernels(
  appliance: Pick<Appliance, 'isDir' | 'isFile'>,
  entries: readonly BootEntry[],
  backends: readonly InitramfsBackend[],
): Promise<Kernels> {
  const found = new Map<string, BootableKernel>();
  const skipped: { entry: BootEntry; why: string }[] = [];
  const standard = entries.find(({ isDefault }) => isDefault) ?? entries[0];
  for (const entry of entries) {
    const isDefault = entry === standard;
    const version = entry.kernelVersion;
    const known = version === undefined ? undefined : found.get(version);
    if (RESCUE.test(entry.kernel)) skipped.push({ entry, why: 'is the rescue system, which was left as it is' });
    else if (version === undefined) skipped.push({ entry, why: 'has no version that could be found' });
    else if (known !== undefined) found.set(version, { ...known, isDefault: known.isDefault || isDefault });
    else if (!(await appliance.isDir(`/lib/modules/${version}`)))
      skipped.push({ entry, why: 'has no modules in the guest' });
    else found.set(version, { version, isDefault, image: await imageOf(appliance, entry, version, backends) });
  }
  return { kernels: [...found.values()].toSorted((a, b) => compareVersions(b.version, a.version)), skipped };
}

async function imageOf(
  appliance: Pick<Appliance, 'isFile'>,
  { initrd }: BootEntry,
  version: string,
  backends: readonly InitramfsBackend[],
): Promise<string | undefined> {
  const candidates = [...(initrd === undefined ? [] : [initrd]), ...backends.flatMap((each) => each.images(version))];
  for (const candidate of candidates) if (await appliance.isFile(candidate)) return candidate;
  return undefined;
}
