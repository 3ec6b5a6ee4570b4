import type { Appliance } from '../appliance.js';
import type { GuestFacts, InitSystem } from '../facts.js';
import { architecture } from './architecture.js';
import { OLD_RELEASES, parseOldRelease, parseOsRelease, type Release } from './os-release.js';
import { SYSTEMD_LIBRARIES, versionFromNames } from './systemd.js';

type LinuxFacts = Pick<
  GuestFacts,
  'type' | 'distro' | 'product' | 'version' | 'arch' | 'packageFormat' | 'init' | 'systemd'
>;

const OS_RELEASES = ['/etc/os-release', '/usr/lib/os-release'];
const PACKAGES: readonly (readonly [path: string, format: string])[] = [
  ['/var/lib/dpkg/status', 'deb'],
  ['/var/lib/rpm/', 'rpm'],
  ['/usr/lib/sysimage/rpm/', 'rpm'],
  ['/var/lib/pacman/', 'pacman'],
  ['/lib/apk/', 'apk'],
  ['/var/db/pkg/', 'ebuild'],
];
/** Programs whose kind tells the architecture; the first that is there is asked. */
export const PROGRAMS = ['/bin/bash', '/bin/sh', '/bin/ls', '/usr/bin/env', '/bin/busybox', '/sbin/init'];
const INIT = {
  systemd: ['/lib/systemd/systemd', '/usr/lib/systemd/systemd'],
  openrc: ['/sbin/openrc', '/usr/sbin/openrc'],
  upstart: ['/sbin/upstart-file-bridge', '/etc/init/rc-sysinit.conf', '/etc/init/rc.conf'],
  sysvinit: ['/etc/inittab'],
};

/** What a Linux is, with all of its file systems mounted. */
export async function linuxFacts(appliance: Appliance): Promise<LinuxFacts> {
  // Both names of /usr/lib and the like: in a merged /usr they are one.
  const there = new Set(
    await appliance.glob([
      '/sbin/init',
      ...OS_RELEASES,
      ...OLD_RELEASES,
      ...PACKAGES.map(([path]) => path),
      ...PROGRAMS,
      ...Object.values(INIT).flat(),
      ...SYSTEMD_LIBRARIES,
    ]),
  );
  const systemd = versionFromNames([...there].map((path) => path.slice(path.lastIndexOf('/') + 1)));
  const init = await initSystem(appliance, there);
  const packageFormat = PACKAGES.find(([path]) => there.has(path))?.[1] ?? 'unknown';
  const hasSystemd = systemd !== undefined || INIT.systemd.some((path) => there.has(path));
  return {
    ...(await release(appliance, there)),
    type: 'linux',
    arch: await architecture(
      appliance,
      packageFormat,
      PROGRAMS.filter((path) => there.has(path)),
    ),
    packageFormat,
    init,
    ...(hasSystemd ? { systemd: systemd ?? 0 } : {}),
  };
}

/** For a list of systems: only what it is called. With its root mounted. */
export async function readRelease(appliance: Appliance): Promise<Release> {
  return release(appliance, new Set(await appliance.glob([...OS_RELEASES, ...OLD_RELEASES])));
}

async function release(appliance: Appliance, there: ReadonlySet<string>): Promise<Release> {
  for (const file of OS_RELEASES) {
    const found = there.has(file) ? parseOsRelease((await appliance.readText(file)) ?? '') : undefined;
    if (found !== undefined) return found;
  }
  for (const file of OLD_RELEASES) {
    const text = there.has(file) ? await appliance.readText(file) : undefined;
    if (text !== undefined) return parseOldRelease(file, text);
  }
  return { distro: 'unknown', product: 'unknown Linux', version: { major: 0, minor: 0 } };
}

/** /sbin/init decides where it leads to one of them; else what lies around it. */
async function initSystem(appliance: Appliance, there: ReadonlySet<string>): Promise<InitSystem> {
  const target = there.has('/sbin/init') ? (await appliance.attempt(['readlink', '/sbin/init'])).trim() : '';
  if (target.endsWith('systemd')) return 'systemd';
  if (target.endsWith('openrc-init')) return 'openrc';
  const has = (name: keyof typeof INIT): boolean => INIT[name].some((path) => there.has(path));
  // A systemd beside another init was kept out of its place by somebody.
  if (target === '' && there.has('/sbin/init')) {
    for (const name of ['openrc', 'upstart', 'sysvinit'] as const) if (has(name)) return name;
  }
  for (const name of ['openrc', 'systemd', 'upstart', 'sysvinit'] as const) if (has(name)) return name;
  return 'unknown';
}
