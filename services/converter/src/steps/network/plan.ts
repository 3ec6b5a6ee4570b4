import type { ConcernCode, Nic } from '@hyper2kvm/contracts';
import type { PinnedNic } from '../step.js';
import { linkFile, linkPath, ruleFile, RULES_PATH } from './files.js';
import { globMatches } from './glob.js';
import type { Mentions } from './mentions.js';
import { nameBy, placeOf, schemeOf, type Scheme } from './slots.js';

export interface NetworkInput {
  /** In the source's order, every one with its MAC. */
  readonly nics: readonly Nic[];
  /** What the guest's configuration speaks of. */
  readonly mentions: Mentions;
  /** Of NICs that have no address in the source. */
  readonly generatedMacs: readonly string[];
  /** Undefined without systemd, 0 for one older than 231. */
  readonly systemd: number | undefined;
  /** `net.ifnames=0` on the kernel's command line, or udev's naming masked: the kernel's own ethN are used. */
  readonly kernelNames: boolean;
  /** Names that udev rules of the guest give to MACs already. */
  readonly byRule: ReadonlyMap<string, string>;
  /** Whether something there gives names: udev, or one that reads its rules. */
  readonly udev: boolean;
}

export interface NetworkConcern {
  readonly code: ConcernCode;
  readonly message: string;
}

export interface NetworkPlan {
  readonly pinned: readonly PinnedNic[];
  /** Files to write: path → content. */
  readonly files: ReadonlyMap<string, string>;
  readonly concerns: readonly NetworkConcern[];
}

/** The kernel hands these out in its own order: a rename to one of them races with it. */
const KERNEL_NAME = /^eth\d+$/;
/** What a configuration may hold besides names of cards. */
const VIRTUAL_NAME =
  /^(?:bond|team|br|virbr|vlan|dummy|tun|tap|wg|docker|veth|vmbr|vxlan|ppp|ovs|wlan?|ib|sit|gre)[\d_.-]|[.:]|^(?:br0|docker0)$/;
/** What systemd calls the first card of a q35 machine of libvirt. */
const NAME_ON_KVM = 'enp1s0';

/** Keeps the names that the guest had on VMware by pinning each to its MAC, so that no configuration has to change. */
export function planNetwork(input: NetworkInput): NetworkPlan {
  const { nics, udev } = input;
  const cards = input.mentions.cards.filter((name) => !VIRTUAL_NAME.test(name));
  const concerns = unknownAddresses(input);
  const fixed = new Map(input.mentions.fixed);
  const names = namesOf(input, cards, fixed);
  // ethN is the kernel's own numbering.
  const numbered = input.kernelNames || (cards.length > 0 && cards.every((name) => KERNEL_NAME.test(name)));
  if (numbered) concerns.push(...orderConcerns(input, fixed));
  const pinned: PinnedNic[] = [];
  for (const { mac, label } of nics) {
    if (mac === undefined || fixed.has(mac)) continue;
    const name = numbered ? input.byRule.get(mac) : names.get(mac);
    if (name === undefined) {
      if (!numbered) concerns.push(...unnamed(`${label} (${mac})`, cards, input.mentions.globs));
    } else if (!KERNEL_NAME.test(name) && !pinned.some((each) => each.name === name)) pinned.push({ mac, name });
  }
  if (!numbered) concerns.push(...unused(cards, [...fixed.values(), ...names.values()], names.size >= nics.length));
  if (pinned.length > 0 && !udev) {
    const list = pinned.map(({ name, mac }) => `${name} (${mac})`).join(', ');
    const message = `network: the guest has no udev that could keep the names of ${list}`;
    return { pinned: [], files: new Map(), concerns: [...concerns, { code: 'NETWORK_NAME_UNKNOWN', message }] };
  }
  return { pinned, files: filesFor(pinned, input), concerns };
}

function filesFor(
  pinned: readonly PinnedNic[],
  { systemd = 0, kernelNames }: NetworkInput,
): ReadonlyMap<string, string> {
  if (pinned.length === 0) return new Map();
  const rules: [string, string][] = [[RULES_PATH, ruleFile(pinned)]];
  if (systemd < 240) return new Map(rules);
  const links = pinned.map((nic): [string, string] => [linkPath(nic.name), linkFile(nic, systemd)]);
  // Where udev's own naming is masked, .link files do nothing.
  return new Map(kernelNames ? [...links, ...rules] : links);
}

/**
 * MAC → old name, as far as it is certain: what a rule or the configuration says of that MAC, what vSphere's slot makes
 * of the card where the configuration speaks of that name or of others made the same way, and the one name that is left
 * for the one card that is left.
 */
function namesOf(
  { nics, byRule, mentions }: NetworkInput,
  cards: readonly string[],
  fixed: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const names = new Map([...fixed, ...mentions.known, ...byRule]);
  const schemes = new Set<Scheme>();
  for (const { mac, pci_slot: slot } of nics) {
    for (const name of cards) {
      const scheme = schemeOf(name, slot, mac);
      if (mac === undefined || scheme === undefined) continue;
      schemes.add(scheme);
      if (!names.has(mac)) names.set(mac, name);
    }
  }
  const taken = (): Set<string> => new Set(names.values());
  const open = (): readonly Nic[] => nics.filter(({ mac }) => mac !== undefined && !names.has(mac));
  const free = cards.filter((name) => !taken().has(name) && !KERNEL_NAME.test(name));
  const [last, ...others] = open();
  // With more cards than one, each other has to have its name for what is left to be certain.
  if (last?.mac !== undefined && others.length === 0 && free.length === 1 && free[0] !== undefined)
    names.set(last.mac, free[0]);
  const scheme = cards.length === 0 ? 'ens' : [...schemes][0];
  if (scheme === undefined || schemes.size > 1) return names;
  for (const { mac, pci_slot: slot } of open()) {
    const name = nameBy(scheme, slot);
    if (mac !== undefined && name !== undefined && !taken().has(name)) names.set(mac, name);
  }
  return names;
}

/** A configuration without names suits any name, one with patterns those that fit. */
function unnamed(card: string, cards: readonly string[], globs: readonly string[]): NetworkConcern[] {
  const spoken = [...cards, ...globs.filter((each) => !globMatches(each, NAME_ON_KVM))];
  if (spoken.length === 0) return [];
  const message = `network: ${card} had a name before that is not known; the guest's configuration speaks of ${spoken.join(', ')}`;
  return [{ code: 'NETWORK_NAME_UNKNOWN', message }];
}

function unused(cards: readonly string[], named: readonly string[], allNamed: boolean): NetworkConcern[] {
  return cards
    .filter((name) => !KERNEL_NAME.test(name) && !named.includes(name))
    .map((name) => ({
      code: allNamed ? 'NETWORK_NAME_UNUSED' : 'NETWORK_NAME_UNKNOWN',
      message: `network: the guest's configuration speaks of ${name}, which is none of the VM's NICs`,
    }));
}

/** The guest may know its cards by addresses that a source without them cannot tell. */
function unknownAddresses({ nics, generatedMacs, mentions }: NetworkInput): NetworkConcern[] {
  if (generatedMacs.length === 0) return [];
  return mentions.macs
    .filter((bound) => !nics.some(({ mac }) => mac === bound))
    .map((bound) => ({
      code: 'NETWORK_MAC_UNKNOWN',
      message: `network: the guest's configuration is bound to the MAC address ${bound}; the source does not say whose it was, and the VM got ${generatedMacs.join(', ')}`,
    }));
}

/** The kernel numbers cards driver by driver, and by bus: where that was another order than the domain's, ethN may move. */
function orderConcerns({ nics, byRule, mentions }: NetworkInput, fixed: ReadonlyMap<string, string>): NetworkConcern[] {
  const named = new Map([...fixed, ...mentions.known, ...byRule]);
  const loose = nics.filter(({ mac }) => mac !== undefined && !named.has(mac));
  if (loose.length < 2) return [];
  const buses = loose.map(({ pci_slot: slot }) => (slot === undefined ? undefined : placeOf(slot)?.bus));
  const sorted = buses.every((bus, index) => index === 0 || bus === undefined || bus >= (buses[index - 1] ?? 0));
  if (sorted && new Set(loose.map(({ type }) => type)).size === 1) return [];
  const list = loose.map(({ label, mac, type }) => `${label} (${type}, ${mac})`).join(', ');
  return [
    {
      code: 'NETWORK_NAME_UNKNOWN',
      message: `network: the kernel numbers the cards as ethN, on KVM in the order ${list}, on VMware perhaps in another`,
    },
  ];
}
