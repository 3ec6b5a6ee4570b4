/** What VMware's tar installer left: it wrote down every file in /etc/vmware-tools/locations. */

/** Only there does the installer put files of its own; a hostile list must not name others. */
const PLACES =
  /^\/(?:etc|usr|lib|lib64|sbin|bin|opt|var\/lib)\/[^\n]*vmware|^\/usr\/(?:s?bin)\/(?:vmtoolsd|vmhgfs-fuse|vm-support)$/i;

/**
 * The installer's database: `file <path> [<time>]` and `directory <path>` add, `remove_file <path>` and
 * `remove_directory <path>` take away again; `answer …` lines are its questions.
 */
export function installedFiles(locations: string): { files: string[]; folders: string[] } {
  const files = new Set<string>();
  const folders = new Set<string>();
  for (const line of locations.split('\n')) {
    const [, word, path] = /^(file|directory|remove_file|remove_directory) (\/\S+)(?: \d+)?$/.exec(line) ?? [];
    if (path === undefined || path.split('/').includes('..') || !PLACES.test(path)) continue;
    if (word === 'file') files.add(path);
    else if (word === 'directory') folders.add(path);
    else if (word === 'remove_file') files.delete(path);
    else folders.delete(path);
  }
  // The deepest first: a folder goes only when it is empty by then.
  return { files: [...files], folders: [...folders].toSorted((a, b) => b.length - a.length) };
}

/** Starts the tar installer's tools, where no list says so. */
export const START_FILES = [
  '/etc/init.d/vmware-tools',
  '/etc/init/vmware-tools.conf',
  '/etc/init/vmware-tools-thinprint.conf',
  '/etc/systemd/system/vmware-tools.service',
  '/etc/systemd/system/multi-user.target.wants/vmware-tools.service',
  '/usr/lib/systemd/system/vmware-tools.service',
  '/etc/modprobe.d/vmware-tools.conf',
  '/etc/udev/rules.d/99-vmware-scsi-udev.rules',
] as const;
