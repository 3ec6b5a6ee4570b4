import type { Nic } from '@hyper2kvm/contracts';
import { plainMac } from './mentions.js';
import { ensName, nameBy, pathOf } from './slots.js';

/** Configuration of one file after its ties to VMware's hardware are undone. */
export interface Rewritten {
  readonly text: string;
  readonly edits: readonly string[];
  /** What names VMware's hardware and could not be said otherwise, one sentence each. */
  readonly unresolved: readonly string[];
}

/** What a tie to VMware's hardware means on KVM. */
export interface Hardware {
  /** Undefined without systemd, 0 for one older than 231. */
  readonly systemd: number | undefined;
  /**
   * Of a driver's name: `virtio_net` where all cards had that driver, the addresses of those that had it, `false` where
   * it is none of the VM's, undefined where that is not known.
   */
  driver(name: string): 'virtio_net' | readonly string[] | false | undefined;
  /** The address of the card at a path (`pci-0000:0b:00.0`) or of a name that comes from its slot. */
  macOf(pathOrName: string): string | undefined;
  /** The new address for one that the source does not have. */
  newMac(mac: string): string | undefined;
}

/** Kernel drivers of VMware's cards by their type in vSphere or in an OVF. */
const DRIVERS: Readonly<Record<string, readonly string[]>> = {
  vmxnet3: ['vmxnet3'],
  vmxnet2: ['vmxnet', 'vmxnet2'],
  vmxnet: ['vmxnet'],
  e1000: ['e1000'],
  e1000e: ['e1000e'],
  pcnet32: ['pcnet32', 'vmxnet'],
  flexible: ['pcnet32', 'vmxnet'],
};
const KNOWN = new Set(Object.values(DRIVERS).flat());

export function isVmwareDriver(name: string): boolean {
  return KNOWN.has(name);
}

/** Of a type that is not known, any. */
const driversOf = (nic: Nic): readonly string[] => DRIVERS[nic.type.toLowerCase()] ?? [...KNOWN];

export function hardwareOf(
  nics: readonly Nic[],
  systemd: number | undefined,
  macs: ReadonlyMap<string, string>,
): Hardware {
  return {
    systemd,
    driver(name) {
      if (!KNOWN.has(name)) return undefined;
      const having = nics.filter((nic) => driversOf(nic).includes(name));
      if (having.length === 0) return false;
      if (having.length === nics.length) return 'virtio_net';
      const found = having.flatMap(({ mac }) => mac ?? []);
      return found.length === having.length ? found : undefined;
    },
    macOf(pathOrName) {
      const found = nics.filter(({ pci_slot: slot }) => {
        if (slot === undefined) return false;
        return [pathOf(slot), ensName(slot), nameBy('enp', slot)].includes(pathOrName);
      });
      if (found.length === 1) return found[0]?.mac;
      // A path of a single card can mean no other.
      const [only] = nics;
      return nics.length === 1 && only?.pci_slot === undefined && /^pci-[\da-f:.]+$/.test(pathOrName)
        ? only?.mac
        : undefined;
    },
    newMac: (mac) => macs.get(plainMac(mac)),
  };
}
