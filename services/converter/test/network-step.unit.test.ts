import type { Nic } from '@hyper2kvm/contracts';
import { describe, expect, test } from 'vitest';
import { networkStep } from '../src/steps/network/index.js';
import * as fixtures from './fixtures/network.js';
import { codes, GuestTree, runStep } from './network-guest.js';

const nic = (slot: number | undefined, last: number, type = 'vmxnet3'): Nic => ({
  label: `Network adapter ${last}`,
  type,
  mac: `00:50:56:00:00:0${last}`,
  ...(slot === undefined ? {} : { pci_slot: slot }),
});
const ONE = [nic(192, 1)];
const link = (name: string, last: number): Record<string, string> => ({
  [`/etc/systemd/network/10-hyper2kvm-${name}.link`]: `# Written by hyper2kvm: this card keeps the name that it had on VMware.\n[Match]\nPermanentMACAddress=00:50:56:00:00:0${last}\n\n[Link]\nName=${name}\n`,
});
const run = (files: Record<string, string | undefined>, nics: Nic[] = ONE, more = {}) =>
  runStep(networkStep, new GuestTree(files), { nics, ...more });

describe('the configuration stays byte for byte, and the name is pinned', () => {
  test.each([
    ['Debian 12, ifupdown', { '/etc/network/interfaces': fixtures.INTERFACES }],
    ['Rocky 9, keyfile', { '/etc/NetworkManager/system-connections/ens192.nmconnection': fixtures.KEYFILE }],
    ['CentOS, ifcfg with HWADDR', { '/etc/sysconfig/network-scripts/ifcfg-ens192': fixtures.IFCFG }],
    ['Arch, networkd', { '/etc/systemd/network/20-wired.network': '[Match]\nName=ens192\n\n[Network]\nDHCP=yes\n' }],
    [
      'Arch, netctl',
      { '/etc/netctl/lan': "Interface=ens192\nConnection=ethernet\nIP=static\nAddress=('192.0.2.7/24')\n" },
    ],
    ['wicked', { '/etc/wicked/ifconfig/lan.xml': '<interface>\n  <name>ens192</name>\n</interface>\n' }],
    ['dhcpcd', { '/etc/dhcpcd.conf': 'interface ens192\nstatic ip_address=192.0.2.7/24\n' }],
    ['no configuration at all', {}],
  ])('%s', async (_name, files) => {
    const { changed, state } = await run(files);
    expect(changed).toEqual(link('ens192', 1));
    expect(state.pinned).toEqual([{ mac: '00:50:56:00:00:01', name: 'ens192' }]);
    expect(state.concerns).toEqual([]);
    expect(state.initramfsStale).toBe(false);
  });

  test('Ubuntu 22.04, netplan of the installer', async () => {
    const { changed } = await run({ '/etc/netplan/00-installer-config.yaml': fixtures.NETPLAN_INSTALLER }, [
      nic(160, 1),
    ]);
    expect(changed).toEqual(link('ens160', 1));
  });

  test('SLES 15: ethN of the kernel stay, with the VLAN above', async () => {
    const files = {
      '/etc/sysconfig/network/ifcfg-eth0': fixtures.WICKED_ETH0,
      '/etc/sysconfig/network/ifcfg-vlan10': fixtures.WICKED_VLAN,
      '/etc/sysconfig/network/ifcfg-lo': 'IPADDR=127.0.0.1/8\n',
      '/etc/sysconfig/network/ifcfg.template': '',
      '/etc/default/grub': 'GRUB_CMDLINE_LINUX_DEFAULT="splash=silent net.ifnames=0 quiet"\n',
    };
    expect(await run(files)).toMatchObject({ changed: {}, state: { pinned: [], concerns: [] } });
  });

  test('Alpine: eth0, no udev', async () => {
    const files = { '/etc/network/interfaces': 'auto eth0\niface eth0 inet dhcp\n' };
    const ran = await run(files, ONE, { facts: { systemd: undefined } });
    expect(ran).toMatchObject({ changed: {}, state: { pinned: [], concerns: [] } });
  });

  test('no udev that could keep another name: it is told', async () => {
    const files = { '/etc/network/interfaces': 'auto lan0\niface lan0 inet dhcp\n' };
    const { changed, state } = await run(files, ONE, { facts: { systemd: undefined } });
    expect(changed).toEqual({});
    expect(codes(state)).toEqual(['NETWORK_NAME_UNKNOWN']);
  });
});

test('bonds, bridges and VLANs of ifupdown, in a sourced file: the four cards below them are pinned', async () => {
  const files = {
    '/etc/network/interfaces': fixtures.INTERFACES,
    '/etc/network/interfaces.d/bonds': fixtures.INTERFACES_BRIDGE,
    '/etc/network/other': 'auto ens999\n',
  };
  const nics = [nic(192, 1), nic(224, 2), nic(256, 3), nic(1184, 4)];
  const { changed, state } = await run(files, nics);
  expect(changed).toEqual({ ...link('ens192', 1), ...link('ens224', 2), ...link('ens256', 3), ...link('ens161', 4) });
  expect(state.concerns).toEqual([]);
});

test('bond of ifcfg: the slaves are pinned', async () => {
  const files = {
    '/etc/sysconfig/network-scripts/ifcfg-bond0': fixtures.IFCFG_BOND,
    '/etc/sysconfig/network-scripts/ifcfg-ens192': 'DEVICE=ens192\nMASTER=bond0\nSLAVE=yes\n',
    '/etc/sysconfig/network-scripts/ifcfg-ens224': 'DEVICE=ens224\nMASTER=bond0\nSLAVE=yes\n',
    '/etc/sysconfig/network-scripts/ifcfg-ens224.bak': 'DEVICE=ens777\n',
  };
  const { state } = await run(files, [nic(192, 1), nic(224, 2)]);
  expect(state.pinned.map(({ name }) => name)).toEqual(['ens192', 'ens224']);
  expect(state.concerns).toEqual([]);
});

describe('ties to VMware’s hardware', () => {
  test('netplan: the driver becomes virtio’s, in flow style and in lists', async () => {
    const file = '/etc/netplan/01-lan.yaml';
    const { changed } = await run({ [file]: fixtures.NETPLAN_DRIVER });
    expect(changed[file]).toBe(
      fixtures.NETPLAN_DRIVER.replace('driver: vmxnet3', 'driver: virtio_net').replace('"vmxnet3"', 'virtio_net'),
    );
  });

  test('netplan: one of two drivers becomes the address of the card that had it', async () => {
    const file = '/etc/netplan/01-lan.yaml';
    const { changed } = await run({ [file]: fixtures.NETPLAN_DRIVER.replace('["vmxnet3", "e1000"]', 'e1000') }, [
      nic(192, 1),
      nic(224, 2, 'e1000'),
    ]);
    expect(changed[file]).toContain('match: {macaddress: "00:50:56:00:00:01"}');
    expect(changed[file]).toContain('        macaddress: "00:50:56:00:00:02"\n        name: "ens2*"\n');
  });

  test('networkd: driver and PCI path', async () => {
    const file = '/etc/systemd/network/10-lan.network';
    const { changed } = await run({ [file]: fixtures.NETWORK_MATCH }, [nic(192, 1), nic(224, 2)]);
    expect(changed[file]).toBe(
      fixtures.NETWORK_MATCH.replace('Driver=vmxnet3', 'Driver=virtio_net').replace(
        'Path=pci-0000:13:00.0',
        'PermanentMACAddress=00:50:56:00:00:02',
      ),
    );
  });

  test('driver and path of a card among others: its address, once', async () => {
    const file = '/etc/systemd/network/10-lan.network';
    const text = '[Match]\nDriver=e1000\nPath=pci-0000:13:00.0\n\n[Network]\nDHCP=yes\n';
    const { changed } = await run({ [file]: text }, [nic(192, 1), nic(224, 2, 'e1000')]);
    expect(changed[file]).toBe('[Match]\nPermanentMACAddress=00:50:56:00:00:02\n\n[Network]\nDHCP=yes\n');
  });

  test('.link by path: it keeps its name and its settings, by the address', async () => {
    const file = '/etc/systemd/network/10-lan.link';
    const files = {
      [file]: fixtures.LINK_LAN,
      '/etc/systemd/network/20-lan.network': '[Match]\nName=lan0\n[Network]\nDHCP=yes\n',
    };
    const { changed, state } = await run(files);
    expect(changed).toEqual({
      [file]: fixtures.LINK_LAN.replace('Path=pci-0000:0b:00.0', 'PermanentMACAddress=00:50:56:00:00:01'),
    });
    expect(state).toMatchObject({ pinned: [], concerns: [] });
  });

  test('keyfile: driver and path', async () => {
    const file = '/etc/NetworkManager/system-connections/lan.nmconnection';
    const { changed } = await run({ [file]: fixtures.KEYFILE_PATH });
    expect(changed[file]).toBe(
      fixtures.KEYFILE_PATH.replace('driver=vmxnet3;', 'driver=virtio_net;')
        .replace('path=pci-0000:0b:00.0;\n', '')
        .replace('[ethernet]\n', '[ethernet]\nmac-address=00:50:56:00:00:01\n'),
    );
  });

  test('NetworkManager.conf', async () => {
    const file = '/etc/NetworkManager/conf.d/10-unmanaged.conf';
    const text = '[keyfile]\nunmanaged-devices=driver:vmxnet3;interface-name:docker0\n';
    expect((await run({ [file]: text })).changed[file]).toBe(text.replace('vmxnet3', 'virtio_net'));
  });

  test('a path that is no card of the VM stays, and is told', async () => {
    const files = { '/etc/systemd/network/10-lan.network': fixtures.NETWORK_MATCH.replace('Driver=vmxnet3\n', '') };
    const { changed, state } = await run(files);
    expect(changed).toEqual(link('ens192', 1));
    expect(codes(state)).toEqual(['NETWORK_NAME_UNKNOWN']);
  });

  test('a profile with a password: the report shows no diff of it', async () => {
    const file = '/etc/NetworkManager/system-connections/lan.nmconnection';
    const { state, changed } = await run({ [file]: fixtures.KEYFILE_PATH.replace('path=', 'password=hush\npath=') });
    expect(changed[file]).toContain('driver=virtio_net');
    expect(JSON.stringify(state)).not.toContain('hush');
  });
});

describe('RHEL 6 and 7', () => {
  test('persistent rules: the stale one goes, eth0 stays with its card; aliases name virtio', async () => {
    const rules = '/etc/udev/rules.d/70-persistent-net.rules';
    const files = {
      [rules]: fixtures.PERSISTENT,
      '/etc/sysconfig/network-scripts/ifcfg-eth0':
        'DEVICE=eth0\nHWADDR=00:50:56:00:00:01\nBOOTPROTO=none\nIPADDR=192.0.2.7\n',
      '/etc/modprobe.d/dist.conf': 'alias eth0 vmxnet3\nalias char-major-10 x\n',
    };
    const { changed, state } = await run(files, ONE, { facts: { systemd: undefined } });
    expect(changed[rules]).toBe(
      fixtures.PERSISTENT.split('\n')
        .filter((line) => !line.includes('00:0c:29'))
        .join('\n'),
    );
    expect(changed['/etc/modprobe.d/dist.conf']).toBe('alias eth0 virtio_net\nalias char-major-10 x\n');
    expect(Object.keys(changed)).toHaveLength(2);
    expect(state.concerns).toEqual([]);
  });

  test('systemd 219: a rule, which the initramfs has to have too', async () => {
    const { changed, state } = await run({ '/etc/sysconfig/network-scripts/ifcfg-ens192': fixtures.IFCFG }, ONE, {
      facts: { systemd: 219 },
    });
    expect(changed).toEqual({
      '/etc/udev/rules.d/70-hyper2kvm-net.rules': expect.stringContaining(
        'ATTR{address}=="00:50:56:00:00:01", NAME="ens192"',
      ),
    });
    expect(state.initramfsStale).toBe(true);
  });

  test('a rule that asks for VMware’s driver or PCI path: its name is pinned instead', async () => {
    const rules = '/etc/udev/rules.d/10-names.rules';
    const files = {
      [rules]:
        '# names\nSUBSYSTEM=="net", ACTION=="add", KERNELS=="0000:0b:00.0", NAME="lan"\nSUBSYSTEM=="net", RUN+="x"\n',
    };
    const { changed } = await run(files);
    expect(changed).toEqual({ [rules]: '# names\nSUBSYSTEM=="net", RUN+="x"\n', ...link('lan', 1) });
  });
});

describe('the initramfs is rebuilt for names only where it sets up cards', () => {
  test.each([
    [
      'root on the network',
      { '/etc/default/grub': 'GRUB_CMDLINE_LINUX="ip=192.0.2.7::192.0.2.1:255.255.255.0::ens192:none"\n' },
      true,
    ],
    ['dracut with clevis', { '/etc/default/grub': 'GRUB_CMDLINE_LINUX="rd.neednet=1 quiet"\n' }, true],
    ['dropbear', { '/etc/initramfs-tools/initramfs.conf': 'MODULES=most\nIP=:::::ens192:dhcp\n' }, true],
    [
      'neither',
      {
        '/etc/default/grub': 'GRUB_CMDLINE_LINUX="quiet script=1"\n',
        '/etc/initramfs-tools/initramfs.conf': '#IP=\nIP=\n',
      },
      false,
    ],
  ])('%s', async (_name, files, stale) => {
    expect((await run(files)).state.initramfsStale).toBe(stale);
  });
});

test('net.ifnames=0 and no configuration: the kernel’s names', async () => {
  expect((await run({ '/etc/kernel/cmdline': 'root=UUID=x net.ifnames=0\n' })).changed).toEqual({});
});

describe('udev’s naming masked: ethN of the kernel', () => {
  test.each(['/etc/udev/rules.d/80-net-setup-link.rules', '/etc/systemd/network/99-default.link'])(
    '%s',
    async (masked) => {
      const { changed } = await run({
        [masked]: undefined,
        '/etc/network/interfaces': 'auto eth0\niface eth0 inet dhcp\n',
      });
      expect(changed).toEqual({});
    },
  );
});

describe('cloud-init', () => {
  const CFG = '/etc/cloud/cloud.cfg.d/99-hyper2kvm.cfg';
  const cloud = {
    '/etc/cloud/cloud.cfg': 'users: [default]\n',
    '/etc/netplan/50-cloud-init.yaml': fixtures.NETPLAN_CLOUD,
  };
  const ran = { ...cloud, '/var/lib/cloud/instances/iid-vmware/obj.pkl': 'x' };

  test('ran before: network, instance, host keys and hostname are kept; netplan itself pins the name', async () => {
    const { changed, state } = await run(ran);
    expect(changed).toEqual({
      [CFG]: expect.stringMatching(/^network: \{config: disabled\}$[\s\S]*^manual_cache_clean: true$/m),
    });
    expect(codes(state)).toEqual(['NETWORK_CLOUD_INIT']);
  });

  test('never ran: only the network is kept', async () => {
    const { changed } = await run(cloud);
    expect(changed[CFG]).toMatch(/^network: \{config: disabled\}$/m);
    expect(changed[CFG]).not.toContain('manual_cache_clean');
  });

  test.each([
    ['a template without a network', { '/etc/cloud/cloud.cfg': '' }],
    ['switched off', { ...ran, '/etc/cloud/cloud-init.disabled': '' }],
    ['switched off on the command line', { ...ran, '/etc/default/grub': 'GRUB_CMDLINE_LINUX="cloud-init=disabled"\n' }],
    ['not there', { '/etc/netplan/50-cloud-init.yaml': fixtures.NETPLAN_CLOUD }],
  ])('%s: nothing', async (_name, files) => {
    expect((await run(files)).changed[CFG]).toBeUndefined();
  });
});

test('one card without an address in the source: what the configuration is bound to becomes its new address', async () => {
  const file = '/etc/sysconfig/network-scripts/ifcfg-ens192';
  const nics = [{ ...nic(undefined, 1), mac: '52:54:00:00:00:01' }];
  const { changed, state } = await run({ [file]: fixtures.IFCFG }, nics, { generatedMacs: ['52:54:00:00:00:01'] });
  expect(changed[file]).toBe(fixtures.IFCFG.replace('00:50:56:00:00:01', '52:54:00:00:00:01'));
  expect(state).toMatchObject({ pinned: [{ name: 'ens192', mac: '52:54:00:00:00:01' }], concerns: [] });
});

test('everything again: nothing changes', async () => {
  const tree = new GuestTree({
    '/etc/cloud/cloud.cfg': '',
    '/var/lib/cloud/instances/a/obj.pkl': '',
    '/etc/netplan/01.yaml': fixtures.NETPLAN_DRIVER,
    '/etc/systemd/network/10-lan.network': fixtures.NETWORK_MATCH,
    '/etc/systemd/network/10-lan.link': fixtures.LINK_LAN,
    '/etc/NetworkManager/system-connections/a': fixtures.KEYFILE_PATH,
    '/etc/network/interfaces': fixtures.INTERFACES,
    '/etc/udev/rules.d/70-persistent-net.rules': fixtures.PERSISTENT,
  });
  const nics = [nic(192, 1), nic(224, 2)];
  const first = await runStep(networkStep, tree, { nics });
  expect(Object.keys(first.changed).length).toBeGreaterThan(4);
  const second = await runStep(networkStep, tree, { nics });
  expect(second.changed).toEqual({});
  expect(second.state.changes).toEqual([]);
  expect(second.state.pinned).toEqual(first.state.pinned);
});
