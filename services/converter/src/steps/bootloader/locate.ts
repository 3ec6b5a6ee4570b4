/** Where in the guest a boot loader's path leads. */
import path from 'node:path';
import type { BootFacts, GuestFiles } from './entry.js';

/**
 * The guest's paths that may be meant, the likeliest first. A boot loader sees one file system: /boot is left out where
 * that is one of its own, the ESP likewise, and a btrfs subvolume is seen from the top (`/@/boot/…`).
 * @param folder of the mount point that the loader reads from, where that is known: /boot/efi
 */
export function candidates(file: string, guest: BootFacts, folder?: string): string[] {
  // `(hd0,msdos1)/vmlinuz`; backslashes are the EFI way.
  const plain = path.posix.normalize(`/${file.replace(/^\([^)]*\)/, '').replaceAll('\\', '/')}`);
  const subvolumes = guest.mountpoints.flatMap(({ path: at, device, mountable }) => {
    const prefix = `btrfsvol:${device}/`;
    if (!mountable.startsWith(prefix)) return [];
    const inside = `/${mountable.slice(prefix.length)}/`;
    return plain.startsWith(inside) ? [path.posix.join(at, plain.slice(inside.length))] : [];
  });
  const boot = guest.mountpoints.some(({ path: at }) => at === '/boot');
  const own = boot ? [path.posix.join('/boot', plain), plain] : [plain, path.posix.join('/boot', plain)];
  const loaders = folder === undefined ? [] : [path.posix.join(folder, plain)];
  return [...new Set([...loaders, ...subvolumes.toSorted((a, b) => a.length - b.length), ...own])];
}

/** Asks of the guest's folders, each listed once: a call takes 30 ms. */
export function folderCache({ list }: Pick<GuestFiles, 'list'>): (file: string) => Promise<boolean> {
  const folders = new Map<string, Promise<string[]>>();
  return async (file) => {
    const folder = path.posix.dirname(file);
    const names = folders.get(folder) ?? list(folder);
    folders.set(folder, names);
    return (await names).includes(path.posix.basename(file));
  };
}

/** The first candidate that is there, else the likeliest. */
export async function locate(
  file: string,
  guest: BootFacts,
  there: (file: string) => Promise<boolean>,
  folder?: string,
): Promise<string> {
  const all = candidates(file, guest, folder);
  for (const each of all) if (await there(each)) return each;
  return all[0] ?? file;
}

/** Where the ESP is mounted; its subfolder EFI tells it from a /boot that is FAT for other reasons. */
export function espCandidates(guest: BootFacts): string[] {
  const fat = guest.mountpoints.filter(({ device }) =>
    guest.fileSystems.some((each) => each.device === device && each.type === 'vfat'),
  );
  return fat.map(({ path: at }) => at);
}
