import { describe, expect, test } from 'vitest';
import { merged } from '../src/steps/network/mentions.js';
import { ifcfgMentions, isIfcfg } from '../src/steps/network/readers/ifcfg.js';
import { ifupdownMentions, ifupdownSources } from '../src/steps/network/readers/ifupdown.js';
import { keyfileMentions } from '../src/steps/network/readers/keyfile.js';
import { netplanMentions } from '../src/steps/network/readers/netplan.js';
import { networkdMentions } from '../src/steps/network/readers/networkd.js';
import * as fixtures from './fixtures/network.js';

test('ifupdown', () => {
  const text = `${fixtures.INTERFACES}auto ens224:1 /en*\niface ens224:1 inet dhcp\n`;
  expect(ifupdownMentions(text)).toMatchObject({ cards: ['ens192', 'ens224'], globs: ['en*'] });
  expect(ifupdownMentions(fixtures.INTERFACES_BRIDGE)).toMatchObject({
    cards: ['ens224', 'ens256', 'ens161'],
    virtual: ['br0', 'bond0', 'bond0.100'],
  });
  expect(ifupdownSources('source interfaces.d/*.cfg\nsource-directory /etc/network/more/\n')).toEqual({
    files: ['/etc/network/interfaces.d/*.cfg'],
    folders: ['/etc/network/more'],
  });
});

describe('netplan', () => {
  test('an entry is a name, unless it says what it matches', () => {
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
    any: {match: {name: "en*"}, dhcp4: true}
    ens256: {}
  vlans:
    vlan10:
      id: 10
`;
    expect(netplanMentions(text)).toEqual({
      cards: ['ens192', 'ens256', 'lan1'],
      virtual: ['vlan10'],
      globs: ['en*'],
      macs: ['00:50:56:00:00:01'],
      fixed: [['00:50:56:00:00:01', 'lan1']],
      known: [],
    });
  });
  test('JSON is YAML too, and a macaddress outside of match binds nothing', () => {
    const text = '{"network": {"ethernets": {"ens192": {"macaddress": "00:50:56:00:00:09"},\n "ens224": {}}}}';
    expect(netplanMentions(text)).toMatchObject({ cards: ['ens192', 'ens224'], macs: [] });
  });
  test.each([
    '',
    'network:',
    '[[[[',
    '{{{',
    ': :',
    '- - - -',
    'network: {ethernets: {a',
    '"',
    "network:\n  ethernets:\n   '",
  ])('what is no netplan (%j) says nothing', (text) => expect(netplanMentions(text).fixed).toEqual([]));
});

test('NetworkManager keyfile', () => {
  expect(keyfileMentions(fixtures.KEYFILE)).toMatchObject({ cards: ['ens192'], virtual: [] });
  expect(keyfileMentions('[connection]\ntype=bridge\ninterface-name=br0\n')).toMatchObject({
    cards: [],
    virtual: ['br0'],
  });
  const vlan = '[connection]\ntype=vlan\ninterface-name=lan.10\n[vlan]\nparent=ens192\n';
  expect(keyfileMentions(vlan)).toMatchObject({ cards: ['ens192'], virtual: ['lan.10'] });
  const bound =
    '[connection]\ntype=ethernet\n[ethernet]\nmac-address=00-0C-29-11-22-55\ncloned-mac-address=00:0c:29:11:22:77\n';
  expect(keyfileMentions(bound).macs).toEqual(['00:0c:29:11:22:55']);
});

test('networkd and udev', () => {
  const text = '[Match]\nName=ens192 ens2*\n# MACAddress=00:0c:29:11:22:66\n\n[Link]\nMACAddress=00:0c:29:11:22:77\n';
  expect(networkdMentions('a.network', text)).toMatchObject({ cards: ['ens192'], globs: ['ens2*'], macs: [] });
  expect(networkdMentions('a.netdev', '[NetDev]\nName=bond7\nKind=bond\n').virtual).toEqual(['bond7']);
  const link = '[Match]\nPermanentMACAddress=00:50:56:00:00:01\n[Link]\nName=lan0\n';
  expect(networkdMentions('a.link', link).fixed).toEqual([['00:50:56:00:00:01', 'lan0']]);
});

test('ifcfg', () => {
  expect(ifcfgMentions('ifcfg-System', fixtures.IFCFG)).toMatchObject({
    cards: ['ens192'],
    macs: ['00:50:56:00:00:01'],
    known: [['00:50:56:00:00:01', 'ens192']],
  });
  expect(ifcfgMentions('ifcfg-x', 'DEVICE=ens224.7\nVLAN=yes\n')).toMatchObject({
    cards: ['ens224'],
    virtual: ['ens224.7'],
  });
  expect(ifcfgMentions('ifcfg-ens224', "BOOTPROTO='dhcp'\n").cards).toEqual(['ens224']);
  expect(ifcfgMentions('ifcfg-lan', 'HWADDR=00:50:56:00:00:01\n')).toMatchObject({
    cards: [],
    macs: ['00:50:56:00:00:01'],
  });
  expect(ifcfgMentions('ifcfg-bond0', fixtures.IFCFG_BOND)).toMatchObject({ cards: [], virtual: ['bond0'] });
  expect(ifcfgMentions('ifcfg-br7', "BRIDGE='yes'\nBRIDGE_PORTS='eth0 eth1'\n")).toMatchObject({
    cards: ['eth0', 'eth1'],
    virtual: ['br7'],
  });
  expect(ifcfgMentions('ifcfg-vlan10', fixtures.WICKED_VLAN)).toMatchObject({ cards: ['eth0'], virtual: ['vlan10'] });
  expect(['ifcfg-eth0', 'ifcfg-eth0~', 'ifcfg-eth0.rpmsave', 'ifcfg.template'].filter((each) => isIfcfg(each))).toEqual(
    ['ifcfg-eth0'],
  );
});

test('what one file makes of cards is no card in another', () => {
  const parts = [ifupdownMentions('auto uplink\n'), ifupdownMentions('iface uplink inet dhcp\n  bond-slaves ens192\n')];
  expect(merged(parts)).toMatchObject({ cards: ['ens192'], virtual: ['uplink'] });
});
