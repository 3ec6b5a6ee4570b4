import { compareVersions, kernelVersion } from '../kernels.js';
import { BLS_FOLDER, readBls } from './bls/read.js';
import type { BootEntry, BootFacts, ConfigFile, GuestFiles, RawEntry } from './entry.js';
import { readExtlinux } from './extlinux/read.js';
import { readLegacy } from './grub-legacy/read.js';
import { readGrub2 } from './grub2/read.js';
import { cachedFiles, locate } from './locate.js';
import { readSystemdBoot } from './systemd-boot/read.js';

/** Microcode and other early images that come before the initramfs. */
const NOT_INITRAMFS = /(?:^|[/\\])(?:[\w-]*ucode[\w.-]*|microcode[\w.-]*|acpi_override[\w.-]*)$/;

export interface BootLoaders {
  readonly files: readonly ConfigFile[];
  /** In the order of their menus. */
  readonly entries: readonly BootEntry[];
  /** Unified kernels (EFI/Linux/*.efi), whose arguments cannot be changed. */
  readonly unified: readonly string[];
}

/** Every entry of every boot loader that is configured. Changes nothing. */
export async function readBootEntries(files: GuestFiles, guest: BootFacts): Promise<BootEntry[]> {
  return [...(await readBootLoaders(files, guest)).entries];
}

/** What every boot loader reads. Where GRUB 2 is in use, what an older loader left behind is not looked at. */
export async function readBootLoaders(guestFiles: GuestFiles, guest: BootFacts): Promise<BootLoaders> {
  const files = cachedFiles(guestFiles);
  const grub = await readGrub2(files, guest);
  const { usesBls, variables } = grub;
  const wanted = variables.get('saved_entry') ?? '';
  const bls = usesBls ? await readBls(files, { loader: 'bls', folder: BLS_FOLDER, variables, wanted }) : undefined;
  const systemdBoot = await readSystemdBoot(files, guest, grub);
  const found = [grub, bls, systemdBoot].filter((each) => each !== undefined);
  if (grub.files.length === 0) found.push(await readLegacy(files), await readExtlinux(files, guest));
  const modules = await moduleFolders(files);
  const entries: BootEntry[] = [];
  for (const each of found.flatMap((loader) => loader.entries)) {
    entries.push(await resolved(each, { files, guest, modules }));
  }
  return { files: found.flatMap((loader) => loader.files), entries, unified: systemdBoot.unified };
}

interface Where {
  readonly files: GuestFiles;
  readonly guest: BootFacts;
  readonly modules: readonly string[];
}

async function resolved(entry: RawEntry, { files, guest, modules }: Where): Promise<BootEntry> {
  const { loader, file, title, commandLine, isDefault, seenFrom } = entry;
  const kernel = await locate(entry.kernel, guest, files, seenFrom);
  const image = entry.initrds.filter((each) => !NOT_INITRAMFS.test(each)).at(-1);
  const initrd = image === undefined ? undefined : await locate(image, guest, files, seenFrom);
  const version = versionOf(kernel, entry.version, modules);
  return {
    loader,
    file,
    ...(title === undefined ? {} : { title }),
    kernel,
    ...(initrd === undefined ? {} : { initrd }),
    commandLine,
    ...(version === undefined ? {} : { kernelVersion: version }),
    isDefault,
  };
}

async function moduleFolders(files: GuestFiles): Promise<string[]> {
  const names = await files.list('/lib/modules');
  return names.filter((name) => /^\d/.test(name)).toSorted(compareVersions);
}

/** By the file's name, by what the entry says where such modules exist, by a flavour (`vmlinuz-lts`), or the only one. */
export function versionOf(kernel: string, said: string | undefined, modules: readonly string[]): string | undefined {
  const plain = kernelVersion(kernel);
  if (plain !== undefined) return plain;
  if (said !== undefined && modules.includes(said)) return said;
  // /<machine-id>/6.1.0/linux
  const folder = modules.find((version) => kernel.includes(`/${version}/`));
  if (folder !== undefined) return folder;
  const flavour = /\/vmlinu[zx]-([a-z][\w.-]*)$/.exec(kernel)?.[1];
  const flavoured = modules.filter((version) => flavour !== undefined && version.endsWith(`-${flavour}`));
  return flavoured.at(-1) ?? (modules.length === 1 ? modules[0] : undefined);
}
