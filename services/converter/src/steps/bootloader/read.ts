import { compareVersions, kernelVersion } from '../kernels.js';
import { readBls } from './bls-read.js';
import type { BootEntry, BootFacts, GuestFiles, RawEntry } from './entry.js';
import { readGrub2 } from './grub2-read.js';
import { folderCache, locate } from './locate.js';

/** Microcode and other early images that come before the initramfs. */
const NOT_INITRAMFS = /(?:^|[/\\])(?:[\w-]*ucode[\w.-]*|microcode[\w.-]*|acpi_override[\w.-]*)$/;

/** Every entry of every boot loader that is configured, in the order of its menu. Changes nothing. */
export async function readBootEntries(files: GuestFiles, guest: BootFacts): Promise<BootEntry[]> {
  const grub = await readGrub2(files, guest);
  const raw = [...grub.entries, ...(await readBls(files, guest, grub))];
  const there = folderCache({ list: (folder) => files.list(folder) });
  const modules = await moduleFolders(files);
  const entries: BootEntry[] = [];
  for (const each of raw) entries.push(await resolved(each));
  return entries;

  async function resolved({ initrds, version, ...entry }: RawEntry): Promise<BootEntry> {
    const kernel = await locate(entry.kernel, guest, there);
    const image = initrds.filter((file) => !NOT_INITRAMFS.test(file)).at(-1);
    const initrd = image === undefined ? undefined : await locate(image, guest, there);
    const kernelVersion = versionOf(kernel, version, modules);
    return {
      ...entry,
      kernel,
      ...(initrd === undefined ? {} : { initrd }),
      ...(kernelVersion === undefined ? {} : { kernelVersion }),
    };
  }
}

async function moduleFolders(files: GuestFiles): Promise<string[]> {
  const names = await files.list('/lib/modules');
  return names.filter((name) => /^\d/.test(name)).toSorted(compareVersions);
}

/** By the file's name, by what the entry says where such modules exist, by a flavour (`vmlinuz-lts`), or the only one. */
export function versionOf(kernel: string, said: string | undefined, modules: readonly string[]): string | undefined {
  const named = kernelVersion(kernel);
  if (named !== undefined) return named;
  if (said !== undefined && modules.includes(said)) return said;
  // /<machine-id>/6.1.0/linux
  const folder = modules.find((version) => kernel.includes(`/${version}/`));
  if (folder !== undefined) return folder;
  const flavour = /\/vmlinu[zx]-([a-z][\w.-]*)$/.exec(kernel)?.[1];
  const flavoured = modules.filter((version) => flavour !== undefined && version.endsWith(`-${flavour}`));
  return flavoured.at(-1) ?? (modules.length === 1 ? modules[0] : undefined);
}
