import { describe, expect, test } from 'vitest';
import {
  boundMacs,
  ifcfgNames,
  ifupdownNames,
  keyfileNames,
  netplanNames,
  networkdNames,
  planNetwork,
  planPersistentRules,
  type NetworkInput,
} from '../src/steps/network/index.js';

const nic = (slot: number | undefined, mac: string, label = 'Network adapter 1') => ({
  label,
  type: 'vmxnet3',
  mac,
  ...(slot === undefined ? {} : { pci_slot: slot }),
});
const base: NetworkInput = {
  nics: [nic(192, '00:50:56:ab:cd:ef')],
  generatedMacs: [],
  boundMacs: [],
  configured: ['ens192'],
  systemd: 252,
  kernelNames: false,
  byRule: new Map(),
};

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
    configured: ['ens192', 'ens224', 'bond0', 'bond0.100'],
  });
  expect(plan.pinned.map(({ name }) => name)).toEqual(['ens192', 'ens224']);
  expect(plan.concerns).toEqual([]);
});

test('a single NIC takes the one name that the configuration speaks of', () => {
  expect(planNetwork({ ...base, configured: ['eno16777736'] }).pinned).toEqual([
    { mac: '00:50:56:ab:cd:ef', name: 'eno16777736' },
  ]);
});

test('two NICs and names that fit neither: nothing is guessed, and it is told', () => {
  const plan = planNetwork({
    ...base,
    nics: [nic(192, '00:50:56:00:00:01'), nic(224, '00:50:56:00:00:02')],
    configured: ['lan', 'dmz'],
  });
  expect(plan.pinned).toEqual([]);
  expect(plan.concerns).toHaveLength(4);
});

describe('NICs whose source tells no address', () => {
  const made = ['52:54:00:00:00:01', '52:54:00:00:00:02'];
  const local = { ...base, generatedMacs: made };

  test('one card and one name: it is that one', () => {
    const plan = planNetwork({ ...local, nics: [nic(undefined, '52:54:00:00:00:01')], configured: ['enp3s0'] });
    expect(plan.pinned).toEqual([{ mac: '52:54:00:00:00:01', name: 'enp3s0' }]);
    expect(plan.concerns).toEqual([]);
  });

  test('names that cannot be told apart are not pinned, and it is told', () => {
    const nics = made.map((mac, index) => nic(undefined, mac, `Network adapter ${index + 1}`));
    const plan = planNetwork({ ...local, nics, configured: ['ens192', 'ens224'] });
    expect(plan.pinned).toEqual([]);
    expect(plan.files.size).toBe(0);
    expect(plan.concerns.filter((concern) => concern.includes('had a name before that is not known'))).toHaveLength(2);
    expect(planNetwork({ ...local, nics, configured: [] })).toMatchObject({ pinned: [], concerns: [] });
  });

  test('configuration that is bound to the unknown address is told, also where the kernel names the cards', () => {
    const nics = [nic(undefined, '52:54:00:00:00:01')];
    const bound = { ...local, nics, boundMacs: ['00:0c:29:11:22:33', '52:54:00:00:00:01'], configured: ['eth0'] };
    expect(planNetwork(bound).concerns).toEqual([expect.stringContaining('00:0c:29:11:22:33')]);
    expect(planNetwork({ ...bound, generatedMacs: [] }).concerns).toEqual([]);
  });

  test('addresses to which configuration is bound', () => {
    const text = `HWADDR="00:0C:29:11:22:33"
      macaddress: 00:0c:29:11:22:44
mac-address=00-0C-29-11-22-55
[Match]
MACAddress=00:0c:29:11:22:33
# HWADDR=00:0c:29:11:22:66
cloned-mac-address=00:0c:29:11:22:77
`;
    expect(boundMacs(text)).toEqual(['00:0c:29:11:22:33', '00:0c:29:11:22:44', '00:0c:29:11:22:55']);
  });
});

describe('ethN is never pinned', () => {
  test.each([
    ['net.ifnames=0', { ...base, kernelNames: true, configured: ['eth0'] }],
    ['configured by the kernel name', { ...base, configured: ['eth0'] }],
    ['named by an old rule', { ...base, byRule: new Map([['00:50:56:ab:cd:ef', 'eth0']]) }],
  ])('%s', (_name, input) => {
    expect(planNetwork(input).pinned).toEqual([]);
    expect(planNetwork(input).files.size).toBe(0);
  });
});

describe('names in configuration', () => {
  test('ifupdown', () => {
    const text =
      'source /etc/network/interfaces.d/*\n\nauto lo ens192\niface lo inet loopback\nallow-hotplug ens224\niface ens192 inet static\n\taddress 192.0.2.7/24\n';
    expect(ifupdownNames(text)).toEqual(['ens192', 'ens224']);
  });
  test('netplan', () => {
    const text = `network:
  version: 2
  ethernets:
    ens192:
      addresses: [192.0.2.7/24]
      nameservers:
        addresses: [192.0.2.1]
    "lan0":
      match: {macaddress: 00:50:56:00:00:01}
      set-name: lan1
  vlans:
    vlan10:
      id: 10
`;
    expect(netplanNames(text)).toEqual(['ens192', 'lan0', 'lan1']);
  });
  test('NetworkManager keyfile', () => {
    expect(keyfileNames('[connection]\nid=ens192\ntype=ethernet\ninterface-name=ens192\n')).toEqual(['ens192']);
    expect(keyfileNames('[connection]\ntype=bridge\ninterface-name=br0\n')).toEqual([]);
  });
  test('networkd', () => {
    expect(networkdNames('[Match]\nName=ens192 ens2*\n\n[Network]\nDHCP=yes\n')).toEqual(['ens192']);
    expect(networkdNames('[Network]\nDHCP=yes\n')).toEqual([]);
  });
  test('ifcfg', () => {
    expect(ifcfgNames('ifcfg-ens192', 'TYPE=Ethernet\nDEVICE="ens192"\n')).toEqual(['ens192']);
    expect(ifcfgNames('ifcfg-ens224', "BOOTPROTO='dhcp'\n")).toEqual(['ens224']);
  });
});

test('persistent-net rules: stale lines go, valid ones and unknown ones stay', () => {
  const stale = 'SUBSYSTEM=="net", ACTION=="add", DRIVERS=="?*", ATTR{address}=="00:0c:29:11:22:33", NAME="eth0"';
  const bound = 'SUBSYSTEM=="net", ACTION=="add", DRIVERS=="vmxnet3", ATTR{address}=="00:50:56:ab:cd:ef", NAME="lan"';
  const valid = 'SUBSYSTEM=="net", ACTION=="add", DRIVERS=="?*", ATTR{address}=="00:50:56:00:00:02", NAME="dmz"';
  const text = `# This file was automatically generated\n${stale}\n${bound}\n${valid}\nSUBSYSTEM=="net", RUN+="x"\n`;
  const plan = planPersistentRules(text, ['00:50:56:ab:cd:ef', '00:50:56:00:00:02']);
  expect(plan.text).toBe(`# This file was automatically generated\n${valid}\nSUBSYSTEM=="net", RUN+="x"\n`);
  expect(plan.removed).toEqual([stale, bound]);
  expect([...plan.names]).toEqual([
    ['00:50:56:ab:cd:ef', 'lan'],
    ['00:50:56:00:00:02', 'dmz'],
  ]);
  expect(planPersistentRules(plan.text, ['00:50:56:ab:cd:ef', '00:50:56:00:00:02']).removed).toEqual([]);
});
