import type { Appliance, GuestFacts } from '../../guest/index.js';
import { readBootEntries } from '../bootloader/index.js';
import type { CloudInput } from './cloud-init.js';

type Guest = Pick<Appliance, 'list' | 'readText' | 'isFile' | 'attempt'>;

/** What the kernel is told when it starts: the boot entries, and what makes the next ones. */
export async function commandLines(guest: Guest, facts: GuestFacts): Promise<string[]> {
  const entries = await readBootEntries(guest, facts);
  const defaults = (await guest.readText('/etc/default/grub')) ?? '';
  const made = defaults.split('\n').filter((line) => /^\s*GRUB_CMDLINE_LINUX(?:_DEFAULT)?=/.test(line));
  return [
    ...entries.map(({ commandLine }) => commandLine),
    ...made,
    (await guest.readText('/etc/kernel/cmdline')) ?? '',
  ];
}

/** Whether the kernel's own ethN are used: told on its command line, or udev's naming is masked. */
export async function usesKernelNames(guest: Guest, lines: readonly string[]): Promise<boolean> {
  if (lines.some((line) => /\bnet\.ifnames=0\b/.test(line))) return true;
  for (const [folder, name] of [
    ['/etc/udev/rules.d', '80-net-setup-link.rules'],
    ['/etc/udev/rules.d', '80-net-name-slot.rules'],
    ['/etc/systemd/network', '99-default.link'],
  ] as const) {
    if (!(await guest.list(folder)).includes(name)) continue;
    const file = `${folder}/${name}`;
    // A link to /dev/null, or an empty file.
    if (!(await guest.isFile(file)) || ((await guest.readText(file)) ?? '').trim() === '') return true;
  }
  return false;
}

/**
 * Whether cards are set up within the initramfs (root on the network, keys from a server): names count there too then, as
 * a card that is up is not renamed any more. Elsewhere udev renames it again in the system itself (systemd since 240).
 */
export async function networkInInitramfs(guest: Guest, lines: readonly string[]): Promise<boolean> {
  const told =
    /(?:^|[\s"'=])(?:ip=|rd\.neednet=1|netroot=|nfsroot=|BOOTIF=|root=(?:nfs|nbd|iscsi):|net\.naming-scheme=v23)/;
  if (lines.some((line) => told.test(line))) return true;
  for (const folder of ['/etc/initramfs-tools', '/etc/initramfs-tools/conf.d']) {
    for (const name of await guest.list(folder)) {
      if (folder === '/etc/initramfs-tools' && name !== 'initramfs.conf') continue;
      if (/^\s*(?:export\s+)?IP=["']?[^\s"']/m.test((await guest.readText(`${folder}/${name}`)) ?? '')) return true;
    }
  }
  return false;
}

const UDEV = [
  '/usr/lib/systemd/systemd-udevd',
  '/lib/systemd/systemd-udevd',
  '/usr/sbin/udevd',
  '/sbin/udevd',
  '/usr/lib/udev/udevd',
  '/lib/udev/udevd',
];

export async function hasUdev(guest: Guest, facts: Pick<GuestFacts, 'systemd'>): Promise<boolean> {
  if (facts.systemd !== undefined) return true;
  for (const file of UDEV) if (await guest.isFile(file)) return true;
  return false;
}

export async function cloudFacts(guest: Guest, lines: readonly string[]): Promise<Omit<CloudInput, 'configured'>> {
  const names = await guest.list('/etc/cloud');
  const installed = names.includes('cloud.cfg');
  const disabled = names.includes('cloud-init.disabled') || lines.some((line) => /\bcloud-init=disabled\b/.test(line));
  return { installed, disabled, ran: installed && (await guest.list('/var/lib/cloud/instances')).length > 0 };
}
