import type { PinnedNic } from '../step.js';

export const linkPath = (name: string): string => `/etc/systemd/network/10-hyper2kvm-${name}.link`;
export const RULES_PATH = '/etc/udev/rules.d/70-hyper2kvm-net.rules';

/**
 * systemd.link(5). PermanentMACAddress (since 245) matches the card alone; a plain MACAddress also matches the VLANs and
 * bonds above it, so that it is bound to the driver.
 */
export function linkFile(nic: PinnedNic, systemd: number): string {
  return [
    '# Written by hyper2kvm: this card keeps the name that it had on VMware.',
    '[Match]',
    ...macMatch([nic.mac], systemd),
    '',
    '[Link]',
    `Name=${nic.name}`,
    '',
  ].join('\n');
}

/** Lines of a [Match] section that match these cards alone. */
export function macMatch(macs: readonly string[], systemd: number): string[] {
  const list = macs.join(' ');
  return systemd >= 245 ? [`PermanentMACAddress=${list}`] : [`MACAddress=${list}`, 'Driver=virtio_net'];
}

/** Before systemd 240 a .link file counts only within the initramfs; a rule always does. */
export function ruleFile(pinned: readonly PinnedNic[]): string {
  const rules = pinned.map(
    ({ mac, name }) =>
      `SUBSYSTEM=="net", ACTION=="add", DRIVERS=="virtio_net", ATTR{address}=="${mac}", NAME="${name}"`,
  );
  return ['# Written by hyper2kvm: these cards keep the names that they had on VMware.', ...rules, ''].join('\n');
}
