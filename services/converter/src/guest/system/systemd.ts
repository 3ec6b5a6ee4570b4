/** Where distributions keep systemd's private library, whose name carries the version since 231. */
export const SYSTEMD_LIBRARIES = [
  '/usr/lib/systemd',
  '/lib/systemd',
  '/usr/lib/x86_64-linux-gnu/systemd',
  '/usr/lib/aarch64-linux-gnu/systemd',
  '/usr/lib64/systemd',
].map((folder) => `${folder}/libsystemd-shared-*`);

/** `libsystemd-shared-252.so`, `libsystemd-shared-252-51.el9.so` */
export function versionFromNames(names: readonly string[]): number | undefined {
  for (const name of names) {
    const version = /^libsystemd-shared-(\d+)[.-]/.exec(name)?.[1];
    if (version !== undefined) return Number(version);
  }
  return undefined;
}
