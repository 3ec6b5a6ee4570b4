import type { Appliance } from './appliance.js';

/** Where distributions keep systemd's private library, whose name carries the version since 231. */
const FOLDERS = [
  '/usr/lib/systemd',
  '/lib/systemd',
  '/usr/lib/x86_64-linux-gnu/systemd',
  '/usr/lib/aarch64-linux-gnu/systemd',
  '/usr/lib64/systemd',
];

/** The guest's systemd: undefined without one, 0 for one older than 231. */
export async function systemdVersion(appliance: Appliance): Promise<number | undefined> {
  let present = false;
  for (const folder of FOLDERS) {
    const names = await appliance.list(folder);
    present ||= names.includes('systemd');
    const version = versionFromNames(names);
    if (version !== undefined) return version;
  }
  return present ? 0 : undefined;
}

/** `libsystemd-shared-252.so`, `libsystemd-shared-252-51.el9.so` */
export function versionFromNames(names: readonly string[]): number | undefined {
  for (const name of names) {
    const version = /^libsystemd-shared-(\d+)[.-]/.exec(name)?.[1];
    if (version !== undefined) return Number(version);
  }
  return undefined;
}
