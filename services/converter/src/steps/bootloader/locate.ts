/** Where in the guest a boot loader's path leads. */
import path from 'node:path';
import type { BootFacts, GuestFiles } from './entry.js';

/**
 * The guest's paths that may be meant, the likeliest first. A boot loader sees one file system: /boot is left out where
 * that is one of its own, the ESP likewise, and a btrfs subvolume is seen from the top (`/@/boot/…`).
 * @param seenFrom mount point that the loader reads from, where that is known: /boot/efi
 */
export function candidates(file: string, guest: Pick<BootFacts, 'mountpoints'>, seenFrom?: string): string[] {
  // `(hd0,msdos1)/vmlinuz`; backslashes are the EFI way.
  const plain = path.posix.normalize(`/${file.replace(/^\([^)]*\)/, '').replaceAll('\\', '/')}`);
  const subvolumes = guest.mountpoints.flatMap(({ path: at, device, mountable }) => {
    const prefix = `btrfsvol:${device}/`;
    if (!mountable.startsWith(prefix)) return [];
    const inside = `/${mountable.slice(prefix.length)}/`;
    return plain.startsWith(inside) ? [{ inside, found: path.posix.join(at, plain.slice(inside.length)) }] : [];
  });
  const boot = guest.mountpoints.some(({ path: at }) => at === '/boot');
  const own = boot ? [path.posix.join('/boot', plain), plain] : [plain, path.posix.join('/boot', plain)];
  // `@/boot` is nearer than `@`.
  const nearest = subvolumes.toSorted((a, b) => b.inside.length - a.inside.length).map(({ found }) => found);
  return [...new Set([...(seenFrom === undefined ? [] : [path.posix.join(seenFrom, plain)]), ...nearest, ...own])];
}

/** Lists each folder once: a call takes 30 ms. */
export function cachedFiles(files: GuestFiles): GuestFiles {
  const folders = new Map<string, Promise<string[]>>();
  return {
    readText: (file, limitBytes) => files.readText(file, limitBytes),
    isFile: (file) => files.isFile(file),
    list: (folder) => {
      const listed = folders.get(folder) ?? files.list(folder);
      folders.set(folder, listed);
      return listed;
    },
  };
}

/** The first candidate that is there, else the likeliest. */
export async function locate(file: string, guest: BootFacts, files: GuestFiles, seenFrom?: string): Promise<string> {
  const all = candidates(file, guest, seenFrom);
  for (const each of all) {
    if ((await files.list(path.posix.dirname(each))).includes(path.posix.basename(each))) return each;
  }
  return all[0] ?? file;
}

/** Where FAT is mounted: the ESP is among them. */
export function espCandidates(guest: BootFacts): string[] {
  const fat = guest.mountpoints.filter(({ device }) =>
    guest.fileSystems.some((each) => each.device === device && each.type === 'vfat'),
  );
  return fat.map(({ path: at }) => at);
}

/** FAT knows no case: the name as it is written there. */
export const named = (names: readonly string[], name: string): string | undefined =>
  names.find((each) => each.toLowerCase() === name.toLowerCase());

/** /boot/efi/EFI/redhat and its like, which hold a boot loader each. */
export async function vendorFolders(files: GuestFiles, guest: BootFacts): Promise<string[]> {
  const folders: string[] = [];
  for (const esp of espCandidates(guest)) {
    const efi = named(await files.list(esp), 'EFI');
    if (efi === undefined) continue;
    for (const vendor of await files.list(`${esp}/${efi}`)) folders.push(`${esp}/${efi}/${vendor}`);
  }
  return folders;
}
