import type { Nic } from '@hyper2kvm/contracts';
import type { PinnedNic } from '../step.js';

export interface NetworkInput {
  /** In PCI order, every one with its MAC. */
  readonly nics: readonly Nic[];
  /** Names that the guest's configuration speaks of. */
  readonly configured: readonly string[];
  /** Of NICs that have no address in the source. */
  readonly generatedMacs: readonly string[];
  /** Addresses to which the guest's configuration is bound. */
  readonly boundMacs: readonly string[];
  /** Undefined without systemd, 0 for one older than 231. */
  readonly systemd: number | undefined;
  /** `net.ifnames=0` on the kernel's command line: the kernel's own ethN are used. */
  readonly kernelNames: boolean;
  /** Names that udev rules of the guest give to MACs already. */
  readonly byRule: ReadonlyMap<string, string>;
}

export interface NetworkPlan {
  readonly pinned: readonly PinnedNic[];
  /** Files to write: path → content. */
  readonly files: ReadonlyMap<string, string>;
  readonly concerns: readonly string[];
}

/** The kernel hands these out in its own order: a rename to one of them races with it. */
const KERNEL_NAME = /^eth\d+$/;
/** What a configuration may hold besides names of cards. */
const VIRTUAL_NAME =
  /^(?:bond|team|br|virbr|vlan|dummy|tun|tap|wg|docker|veth|vmbr|vxlan|ppp|wlan?)[\d_.-]|[.:]|^(?:br0|docker0)$/;

/** Keeps the names that the guest had on VMware by pinning each to its MAC, so that no configuration has to change. */
export function planNetwork(input: NetworkInput): NetworkPlan {
  const concerns = unknownAddresses(input);
  const pinned: PinnedNic[] = [];
  const cards = input.configured.filter((name) => !VIRTUAL_NAME.test(name));
  // ethN is the kernel's own numbering, which follows the PCI order that the domain keeps.
  const numbered = input.kernelNames || (cards.length > 0 && cards.every((name) => KERNEL_NAME.test(name)));
  if (numbered) return { pinned, files: new Map(), concerns };
  for (const nic of input.nics) {
    if (nic.mac === undefined) continue;
    const name = input.byRule.get(nic.mac) ?? oldName(nic, input.nics, cards);
    if (name === undefined) {
      // A configuration without names suits any name.
      if (cards.length > 0)
        concerns.push(
          `network: ${nic.label} (${nic.mac}) had a name before that is not known; the guest's configuration speaks of ${cards.join(', ')}`,
        );
    } else if (!KERNEL_NAME.test(name) && !pinned.some((each) => each.name === name))
      pinned.push({ mac: nic.mac, name });
  }
  for (const name of cards) {
    if (KERNEL_NAME.test(name) || name === '*' || pinned.some((each) => each.name === name)) continue;
    concerns.push(`network: the guest's configuration speaks of ${name}, which is none of the VM's NICs`);
  }
  const files = new Map<string, string>();
  if (pinned.length > 0 && (input.systemd ?? 0) >= 240) {
    for (const nic of pinned)
      files.set(`/etc/systemd/network/10-hyper2kvm-${nic.name}.link`, linkFile(nic, input.systemd ?? 0));
  } else if (pinned.length > 0) files.set('/etc/udev/rules.d/70-hyper2kvm-net.rules', ruleFile(pinned));
  return { pinned, files, concerns };
}

/** The guest may know its cards by addresses that a source without them cannot tell. */
function unknownAddresses({ nics, generatedMacs, boundMacs }: NetworkInput): string[] {
  if (generatedMacs.length === 0) return [];
  return boundMacs
    .filter((bound) => !nics.some(({ mac }) => mac === bound))
    .map(
      (bound) =>
        `network: the guest's configuration is bound to the MAC address ${bound}; the source does not say whose it was, and the VM got ${generatedMacs.join(', ')}`,
    );
}

/**
 * vSphere's `ethernetN.pciSlotNumber` is the slot that the guest's firmware announced, and `ens<slot>` the name that
 * systemd made of it. The configuration has the last word: where it speaks of one other name only, that is it.
 */
function oldName(nic: Nic, nics: readonly Nic[], configured: readonly string[]): string | undefined {
  const bySlot = nic.pci_slot === undefined ? undefined : `ens${nic.pci_slot}`;
  if (bySlot !== undefined && (configured.length === 0 || configured.includes(bySlot))) return bySlot;
  const others = new Set(nics.map(({ pci_slot: slot }) => `ens${slot}`));
  const free = configured.filter((name) => !others.has(name));
  return nics.length === 1 && free.length === 1 ? free[0] : undefined;
}

/**
 * systemd.link(5). PermanentMACAddress (since 245) matches the card alone; a plain MACAddress also matches the VLANs and
 * bonds above it, so that it is bound to the driver.
 */
function linkFile(nic: PinnedNic, systemd: number): string {
  const match = systemd >= 245 ? [`PermanentMACAddress=${nic.mac}`] : [`MACAddress=${nic.mac}`, 'Driver=virtio_net'];
  return [
    '# Written by hyper2kvm: this card keeps the name that it had on VMware.',
    '[Match]',
    ...match,
    '',
    '[Link]',
    `Name=${nic.name}`,
    '',
  ].join('\n');
}

/** Before systemd 240 a .link file counts only within the initramfs; a rule always does. */
function ruleFile(pinned: readonly PinnedNic[]): string {
  const rules = pinned.map(
    ({ mac, name }) =>
      `SUBSYSTEM=="net", ACTION=="add", DRIVERS=="virtio_net", ATTR{address}=="${mac}", NAME="${name}"`,
  );
  return ['# Written by hyper2kvm: these cards keep the names that they had on VMware.', ...rules, ''].join('\n');
}
