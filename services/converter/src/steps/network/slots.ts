/**
 * Where vSphere's hardware puts a network card, and the names that guests make of it. `ethernetN.pciSlotNumber` has the
 * device in its bits 0 to 4, the PCI bridge plus one in bits 5 to 9, and the bridge's function from bit 10 on.
 */
export interface PciPlace {
  readonly bus: number;
  readonly device: number;
}

/** The bridges of every virtual hardware since version 7: bus 2 below the first, then 8 root ports each from bus 3 on. */
export function placeOf(slot: number): PciPlace | undefined {
  const [device, bridge, fn] = [slot & 31, (slot >> 5) & 31, slot >> 10];
  if (bridge === 0) return { bus: 0, device };
  if (bridge === 1) return { bus: 2, device };
  return bridge >= 5 && bridge <= 8 && fn < 8 ? { bus: 3 + (bridge - 5) * 8 + fn, device } : undefined;
}

/** `ens192`: the slot that the firmware announces counts the bridge's functions: 1184 (function 1) is ens161. */
export const ensName = (slot: number): string => `ens${(slot & 1023) + (slot >> 10)}`;

export type Scheme = 'ens' | 'enp' | 'eno' | 'enx';

/** The scheme by which a card of this slot and MAC would be called so; undefined where it would not. */
export function schemeOf(name: string, slot: number | undefined, mac: string | undefined): Scheme | undefined {
  if (mac !== undefined && name === `enx${mac.replaceAll(':', '')}`) return 'enx';
  if (slot === undefined) return undefined;
  if (name === ensName(slot)) return 'ens';
  const place = placeOf(slot);
  if (place === undefined) return undefined;
  if (name === enpName(place)) return 'enp';
  // The firmware's index of the card (from 1) is in the high byte, bus and device in the others: eno16777984 is 03:00.0.
  const index = Number(/^eno(\d{8,10})$/.exec(name)?.[1]);
  const expected = (place.bus << 8) | (place.device << 3);
  return index >= 1 << 24 && (index & 0xffffff) === expected ? 'eno' : undefined;
}

const enpName = ({ bus, device }: PciPlace): string => `enp${bus}s${device}`;

/** The name that a scheme gives; undefined where the slot alone does not say it. */
export function nameBy(scheme: Scheme, slot: number | undefined): string | undefined {
  if (slot === undefined) return undefined;
  if (scheme === 'ens') return ensName(slot);
  const place = scheme === 'enp' ? placeOf(slot) : undefined;
  return place && enpName(place);
}

const hex = (value: number): string => value.toString(16).padStart(2, '0');

/** udev's ID_PATH of a card on VMware: `pci-0000:0b:00.0`. */
export function pathOf(slot: number): string | undefined {
  const place = placeOf(slot);
  return place && `pci-0000:${hex(place.bus)}:${hex(place.device)}.0`;
}
