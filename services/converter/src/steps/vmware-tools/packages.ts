/** Which packages of VMware's tools a guest has, read from the database of its package manager. */

/** open-vm-tools and its parts, and what VMware's own repositories (packages.vmware.com) call theirs. */
const TOOLS = /^(?:open-vm-tools(?:-[a-z0-9-]+)?|vmware-tools(?:-[a-z0-9-]+)?|vmware-open-vm-tools(?:-[a-z0-9-]+)?)$/;

export const isTools = (name: string): boolean => TOOLS.test(name);

/** /var/lib/dpkg/status: stanzas with `Package:` and `Status: install ok installed`. */
export function dpkgTools(status: string): string[] {
  return status
    .split('\n\n')
    .filter((stanza) => /^Status: \S+ \S+ (?:installed|half-installed|unpacked|half-configured)$/m.test(stanza))
    .map((stanza) => /^Package: (\S+)$/m.exec(stanza)?.[1] ?? '')
    .filter(isTools);
}

/** `rpm -qa`: name-version-release.arch, of which the last two dashes end the name. */
export function rpmTools(list: string): string[] {
  const names = list.split('\n').map((line) => /^(\S+)-[^-\s]+-[^-\s]+$/.exec(line.trim())?.[1] ?? '');
  return [...new Set(names.filter(isTools))];
}

/** /lib/apk/db/installed: a line `P:name` for each. */
export const apkTools = (installed: string): string[] =>
  [...installed.matchAll(/^P:(\S+)$/gm)].map((match) => match[1] ?? '').filter(isTools);

/** Folders of /var/lib/pacman/local: name-version-release. */
export const pacmanTools = (folders: readonly string[]): string[] =>
  folders.map((folder) => /^(\S+)-[^-]+-[^-]+$/.exec(folder)?.[1] ?? '').filter(isTools);
