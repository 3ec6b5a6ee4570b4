import { existsSync } from 'node:fs';

/** Where osinfo-db lies: of the distribution, and of the administrator. */
const FOLDERS = ['/usr/share/osinfo/os', '/usr/local/share/osinfo/os', '/etc/osinfo/os'];

/** Whether this machine's osinfo-db has an id: `http://debian.org/debian/12` is `debian.org/debian-12.xml` there. */
export function isKnownSystem(id: string): boolean {
  const [, vendor, system, version] = /^https?:\/\/([\w.-]+)\/([\w.-]+)\/([\w.-]+)$/.exec(id) ?? [];
  if (vendor === undefined) return false;
  return FOLDERS.some((folder) => existsSync(`${folder}/${vendor}/${system}-${version}.xml`));
}
