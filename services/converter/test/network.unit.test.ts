import { describe, expect, test } from 'vitest';
import { planNetwork, type NetworkInput } from '../src/steps/network/index.js';
import { mentions } from '../src/steps/network/mentions.js';
import { planRules } from '../src/steps/network/rules.js';

const nic = (slot: number | undefined, mac: string, label = 'Network adapter 1') => ({
  label,
  type: 'vmxnet3',
  mac,
  ...(slot === undefined ? {} : { pci_slot: slot }),
});
const base: NetworkInput = {
  nics: [nic(192, '00:50:56:ab:cd:ef')],
  generatedMacs: [],
  mentions: mentions({ cards: ['ens192'] }),
  systemd: 252,
  kernelNames: false,
  byRule: new Map(),
  udev: true,
};
const speaksOf = (...cards: string[]) => ({ mentions: mentions({ cards }) });

test('the name of the PCI slot is pinned to the MAC with a .link file', () => {
  const plan = planNetwork(base);
  expect(plan.pinned).toEqual([{ mac: '00:50:56:ab:cd:ef', name: 'ens192' }]);
  expect([...plan.files]).toEqual([
    [
      '/etc/systemd/network/10-hyper2kvm-ens192.link',
      '# Written by hyper2kvm: this card keeps the name that it had on VMware.\n[Match]\nPermanentMACAddress=00:50:56:ab:cd:ef\n\n[Link]\nName=ens192\n',
    ],
  ]);
  expect(plan.concerns).toEqual([]);
});

test('systemd 240 to 244 knows no PermanentMACAddress: the MAC is bound to the driver', () => {
  const [text = ''] = planNetwork({ ...base, systemd: 241 }).files.values();
  expect(text).toContain('MACAddress=00:50:56:ab:cd:ef\nDriver=virtio_net\n');
  expect(text).not.toContain('Permanent');
});

test.each([239, 0, undefined])('systemd %s: a udev rule', (systemd) => {
  const files = planNetwork({ ...base, systemd }).files;
  expect([...files]).toEqual([
    [
      '/etc/udev/rules.d/70-hyper2kvm-net.rules',
      expect.stringContaining('DRIVERS=="virtio_net", ATTR{address}=="00:50:56:ab:cd:ef", NAME="ens192"'),
    ],
  ]);
});

test('two NICs, a bond and a VLAN above them: only the cards are pinned', () => {
  const plan = planNetwork({
    ...base,
    nics: [nic(192, '00:50:56:00:00:01'), nic(224, '00:50:56:00:00:02', 'Network adapter 2')],
    ...speaksOf('ens192', 'ens224', 'bond0', 'bond0.100'),
  });
  expect(plan.pinned.map(({ name }) => name)).toEqual(['ens192', 'ens224']);
  expect(plan.concerns).toEqual([]);
});

test('a single NIC takes the one name that the configuration speaks of', () => {
  expect(planNetwork({ ...base, ...speaksOf('eno16777736') }).pinned).toEqual([
    { mac: '00:50:56:ab:cd:ef', name: 'eno16777736' },
  ]);
});

test('two NICs and names that fit neither: nothing is guessed, and it is told', () => {
  const plan = planNetwork({
    ...base,
    nics: [nic(192, '00:50:56:00:00:01'), nic(224, '00:50:56:00:00:02')],
    ...speaksOf('lan', 'dmz'),
  });
  expect(plan.pinned).toEqual([]);
  expect(plan.concerns).toHaveLength(4);
});

describe('NICs whose source tells no address', () => {
  const made = ['52:54:00:00:00:01', '52:54:00:00:00:02'];
  const local = { ...base, generatedMacs: made };

  test('one card and one name: it is that one', () => {
    const plan = planNetwork({ ...local, nics: [nic(undefined, '52:54:00:00:00:01')], ...speaksOf('enp3s0') });
    expect(plan.pinned).toEqual([{ mac: '52:54:00:00:00:01', name: 'enp3s0' }]);
    expect(plan.concerns).toEqual([]);
  });

  test('names that cannot be told apart are not pinned, and it is told', () => {
    const nics = made.map((mac, index) => nic(undefined, mac, `Network adapter ${index + 1}`));
    const plan = planNetwork({ ...local, nics, ...speaksOf('ens192', 'ens224') });
    expect(plan.pinned).toEqual([]);
    expect(plan.files.size).toBe(0);
    expect(plan.concerns.filter(({ message }) => message.includes('had a name before that is not known'))).toHaveLength(
      2,
    );
    expect(planNetwork({ ...local, nics, ...speaksOf() })).toMatchObject({ pinned: [], concerns: [] });
  });

  test('configuration that is bound to the unknown address is told, also where the kernel names the cards', () => {
    const nics = [nic(undefined, '52:54:00:00:00:01')];
    const macs = ['00:0c:29:11:22:33', '52:54:00:00:00:01'];
    const bound = { ...local, nics, mentions: mentions({ cards: ['eth0'], macs }) };
    expect(planNetwork(bound).concerns).toEqual([
      { code: 'NETWORK_MAC_UNKNOWN', message: expect.stringContaining('00:0c:29:11:22:33') },
    ]);
    expect(planNetwork({ ...bound, generatedMacs: [] }).concerns).toEqual([]);
  });
});

describe('names that VMware’s firmware gave', () => {
  test.each([
    ['enp11s0', 192],
    ['eno16777984', 160],
    ['eno33557248', 192],
    ['ens161', 1184],
    ['ens33', 33],
    ['enp2s1', 33],
    ['enx005056000002', undefined],
  ])('%s is the card of slot %s, and the other keeps what is made the same way', (name, slot) => {
    const nics = [nic(256, '00:50:56:00:00:01'), nic(slot, '00:50:56:00:00:02')];
    const plan = planNetwork({ ...base, nics, ...speaksOf(name) });
    expect(plan.pinned).toContainEqual({ mac: '00:50:56:00:00:02', name });
    const other = { ens: 'ens256', enp: 'enp27s0' }[name.slice(0, 3)];
    expect(plan.pinned.find(({ mac }) => mac.endsWith('1'))?.name).toBe(other);
  });

  test('an unknown name for the one card that is left', () => {
    const nics = [nic(192, '00:50:56:00:00:01'), nic(224, '00:50:56:00:00:02')];
    const plan = planNetwork({ ...base, nics, ...speaksOf('ens192', 'lan') });
    expect(plan.pinned.map(({ name }) => name)).toEqual(['ens192', 'lan']);
    expect(plan.concerns).toEqual([]);
  });

  test('names that the configuration itself speaks of with an address', () => {
    const nics = [nic(192, '00:50:56:00:00:01'), nic(224, '00:50:56:00:00:02')];
    const known = [
      ['00:50:56:00:00:02', 'lan'],
      ['00:50:56:00:00:01', 'dmz'],
    ] as const;
    const plan = planNetwork({ ...base, nics, mentions: mentions({ cards: ['lan', 'dmz'], known }) });
    expect(plan.pinned.map(({ name }) => name)).toEqual(['dmz', 'lan']);
    expect(plan.concerns).toEqual([]);
  });

  test('a name of no card, where all cards have theirs, is only told', () => {
    const plan = planNetwork({ ...base, ...speaksOf('ens192', 'ens256') });
    expect(plan.concerns).toEqual([{ code: 'NETWORK_NAME_UNUSED', message: expect.stringContaining('ens256') }]);
  });

  test('patterns suit the new names, or it is told', () => {
    const input = { ...base, nics: [nic(undefined, '00:50:56:00:00:01')] };
    expect(planNetwork({ ...input, mentions: mentions({ globs: ['en*'] }) }).concerns).toEqual([]);
    expect(planNetwork({ ...input, mentions: mentions({ globs: ['ens*'] }) }).concerns).toHaveLength(1);
  });
});

const eth = (...nics: NetworkInput['nics']) =>
  planNetwork({ ...base, nics, kernelNames: true, ...speaksOf('eth0', 'eth1') });

test('ethN of cards that the kernel may have numbered in another order: it is told', () => {
  const [first, second] = [nic(192, '00:50:56:00:00:01'), nic(224, '00:50:56:00:00:02')];
  expect(eth(first, second)).toMatchObject({ pinned: [], concerns: [] });
  expect(eth(second, first).concerns).toHaveLength(1);
  expect(eth(first, { ...second, type: 'e1000' }).concerns).toHaveLength(1);
});

test('udev’s naming masked: a rule beside the .link file', () => {
  const plan = planNetwork({ ...base, kernelNames: true, byRule: new Map([['00:50:56:ab:cd:ef', 'lan']]) });
  expect([...plan.files.keys()]).toEqual([
    '/etc/systemd/network/10-hyper2kvm-lan.link',
    '/etc/udev/rules.d/70-hyper2kvm-net.rules',
  ]);
});

describe('ethN is never pinned', () => {
  test.each([
    ['net.ifnames=0', { ...base, kernelNames: true, ...speaksOf('eth0') }],
    ['configured by the kernel name', { ...base, ...speaksOf('eth0') }],
    ['named by an old rule', { ...base, byRule: new Map([['00:50:56:ab:cd:ef', 'eth0']]) }],
  ])('%s', (_name, input) => {
    expect(planNetwork(input).pinned).toEqual([]);
    expect(planNetwork(input).files.size).toBe(0);
  });
});

test('persistent-net rules: stale lines go, valid ones and unknown ones stay', () => {
  const stale = 'SUBSYSTEM=="net", ACTION=="add", DRIVERS=="?*", ATTR{address}=="00:0c:29:11:22:33", NAME="eth0"';
  const bound = 'SUBSYSTEM=="net", ACTION=="add", DRIVERS=="vmxnet3", ATTR{address}=="00:50:56:ab:cd:ef", NAME="lan"';
  const valid = 'SUBSYSTEM=="net", ACTION=="add", DRIVERS=="?*", ATTR{address}=="00:50:56:00:00:02", NAME="dmz"';
  const text = `# This file was automatically generated\n${stale}\n${bound}\n${valid}\nSUBSYSTEM=="net", RUN+="x"\n`;
  const input = { macs: ['00:50:56:ab:cd:ef', '00:50:56:00:00:02'], macOf: () => undefined, generated: true };
  const plan = planRules(text, input);
  expect(plan.text).toBe(`# This file was automatically generated\n${valid}\nSUBSYSTEM=="net", RUN+="x"\n`);
  expect(plan.removed).toEqual([stale, bound]);
  expect([...plan.names]).toEqual([
    ['00:50:56:ab:cd:ef', 'lan'],
    ['00:50:56:00:00:02', 'dmz'],
  ]);
  expect(planRules(plan.text, input).removed).toEqual([]);
});
