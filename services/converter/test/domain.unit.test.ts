import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { Machine } from '@hyper2kvm/contracts';
import { qemuArgs } from '../src/proof/qemu.js';
import { letters } from '../src/targets/libvirt/devices.js';
import {
  completeMachine,
  domainUuid,
  domainXml,
  DomainPlan,
  planDomain,
  plannedConcerns,
  swtpmConcerns,
} from '../src/targets/libvirt/index.js';

const machine: Machine = {
  name: 'db & "web" <1>',
  bios_uuid: '420F5E88-76B8-4E22-BD64-D287210E14AE',
  cpus: 4,
  cores_per_socket: 2,
  memory_bytes: 8 * 1024 ** 3,
  firmware: 'bios',
  secure_boot: false,
  disks: [],
  nics: [
    { label: 'Network adapter 1', type: 'vmxnet3', mac: '00:50:56:00:00:01', pci_slot: 192 },
    { label: 'Network adapter 2', type: 'e1000' },
  ],
};
const plan = (changes: Partial<Parameters<typeof planDomain>[0]> = {}, disks = 2) =>
  planDomain({
    ...completeMachine(machine, 'job-abc123'),
    uuid: domainUuid(machine, 'job-abc123'),
    kernel: '6.1.0-28-amd64',
    accelerator: 'kvm',
    firmware: { kind: 'bios' },
    network: { type: 'bridge', name: 'br0' },
    disks: Array.from({ length: disks }, (_, index) => ({
      index: index + 1,
      file: `disk${index + 1}.qcow2`,
      format: 'qcow2' as const,
    })),
    ...changes,
  });

test('the domain has all of the source: CPUs, memory, every disk in order, every NIC with its MAC', () => {
  const xml = domainXml(plan(), '/out/vm');
  expect(xml).toContain('<uuid>420f5e88-76b8-4e22-bd64-d287210e14ae</uuid>');
  expect(xml).toContain("<memory unit='KiB'>8388608</memory>");
  expect(xml).toContain("<topology sockets='2' dies='1' cores='2' threads='1'/>");
  expect(xml.match(/<source file='[^']+'/g)).toEqual([
    "<source file='/out/vm/disk1.qcow2'",
    "<source file='/out/vm/disk2.qcow2'",
  ]);
  expect(xml.match(/dev='vd.'/g)).toEqual(["dev='vda'", "dev='vdb'"]);
  expect(xml.match(/<boot order='.'/g)).toEqual(["<boot order='1'", "<boot order='2'"]);
  expect(xml.match(/<mac address='[^']+'/g)).toEqual([
    "<mac address='00:50:56:00:00:01'",
    expect.stringMatching(/'52:54:00:/),
  ]);
  expect(xml).toContain("<source bridge='br0'/>");
});

test('names are text, in XML and for libvirt', () => {
  expect(domainXml(plan(), "/out/o'vm")).toContain('/out/o&apos;vm/disk1.qcow2');
  expect(domainXml({ ...plan(), name: 'a<b>&"\'\u0007' }, '/o')).toContain('<name>a&lt;b&gt;&amp;&quot;&apos;</name>');
});

test('q35 where the guest speaks virtio 1.0, i440fx for older kernels', () => {
  expect(plan().machine).toBe('q35');
  expect(plan({ kernel: '3.10.0-1160.el7' }).machine).toBe('pc');
  expect(plan({ kernel: undefined }).machine).toBe('q35');
});

test('the proof runs on the same devices: order, MACs, bus, chipset', () => {
  for (const [disks, bus] of [
    [2, 'virtio-blk-pci'],
    [9, 'scsi-hd'],
  ] as const) {
    const domain = plan({}, disks);
    const overlays = domain.disks.map(({ index }) => `/w/o,${index}.qcow2`);
    const args = qemuArgs(domain, overlays, 2 * 1024 ** 3);
    expect(args.filter((arg) => arg.startsWith(bus))).toHaveLength(disks);
    expect(args.filter((arg) => arg.startsWith('virtio-net-pci')).map((arg) => /mac=([^,]+)/.exec(arg)?.[1])).toEqual(
      domain.nics.map(({ mac }) => mac),
    );
    expect(args).toContain('2048M');
    expect(args).toContain('q35');
    expect(args.join(' ')).toContain('file=/w/o,,1.qcow2,format=qcow2');
    expect(args.filter((arg) => arg.startsWith('user,')).every((arg) => arg.endsWith('restrict=on'))).toBe(true);
  }
});

test('UUID and MACs that the source does not give are the same on every attempt', () => {
  const bare = { ...machine, bios_uuid: undefined };
  const { bios_uuid: _none, ...without } = bare;
  expect(domainUuid(without, 'job-a')).toBe(domainUuid(without, 'job-a'));
  expect(domainUuid(without, 'job-a')).not.toBe(domainUuid(without, 'job-b'));
  expect(completeMachine(machine, 'job-a')).toEqual(completeMachine(machine, 'job-a'));
  expect(completeMachine(machine, 'job-a').generatedMacs).not.toEqual(completeMachine(machine, 'job-b').generatedMacs);
});

test('a generated address is in the domain, and marked where the domain is recorded', () => {
  const { generatedMacs } = completeMachine(machine, 'job-abc123');
  expect(generatedMacs).toEqual([expect.stringMatching(/^52:54:00(:[0-9a-f]{2}){3}$/)]);
  expect(plan().nics).toMatchObject([{ mac: '00:50:56:00:00:01' }, { mac: generatedMacs[0], generated: true }]);
  expect(plan().nics[0]).not.toHaveProperty('generated');
  expect(domainXml(plan(), '/o')).toContain(`<mac address='${generatedMacs[0]}'/>`);
});

test('a TPM where the source had one, and only there', async () => {
  expect(domainXml(plan(), '/o')).not.toContain('<tpm');
  const withTpm = plan({ machine: { ...completeMachine(machine, 'job-abc123').machine, tpm: true } });
  expect(domainXml(withTpm, '/o')).toContain("<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>");
  expect(await swtpmConcerns(plan(), ['/nonexistent'])).toEqual([]);
  expect(await swtpmConcerns(withTpm, ['/nonexistent'])).toMatchObject([
    { code: 'TPM_MISSING', advice: expect.stringContaining('swtpm') },
  ]);
  const folder = await mkdtemp(path.join(tmpdir(), 'h2k-swtpm-'));
  try {
    await writeFile(path.join(folder, 'swtpm'), '', { mode: 0o755 });
    expect(await swtpmConcerns(withTpm, ['/nonexistent', folder])).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('letters of disks', () => {
  expect([0, 25, 26, 51, 52].map(letters)).toEqual(['a', 'z', 'aa', 'az', 'ba']);
});

test('each NIC goes where its network is mapped to: by the job, by the target, else to the default, which is told', () => {
  const nics = ['VM Network', 'DMZ', 'DMZ', 'Backup', undefined].map((network, index) => ({
    label: `Network adapter ${index + 1}`,
    type: 'vmxnet3',
    mac: `00:50:56:00:00:0${index + 1}`,
    ...(network === undefined ? {} : { network }),
  }));
  const mapped = plan({
    machine: { ...machine, nics },
    networkMaps: {
      job: [{ from: 'VM Network', to: 'br1' }],
      target: [
        { from: 'VM Network', to: 'br9' },
        { from: 'Backup', to: 'network:backup' },
      ],
    },
  });
  expect(domainXml(mapped, '/o').match(/<interface type='[^']+'|<source (?:bridge|network)='[^']+'/g)).toEqual([
    "<interface type='bridge'",
    "<source bridge='br1'",
    "<interface type='bridge'",
    "<source bridge='br0'",
    "<interface type='bridge'",
    "<source bridge='br0'",
    "<interface type='network'",
    "<source network='backup'",
    "<interface type='bridge'",
    "<source bridge='br0'",
  ]);
  expect(plannedConcerns(mapped, machine)).toEqual([
    expect.objectContaining({ code: 'NETWORK_UNMAPPED', severity: 'info', message: expect.stringContaining('DMZ') }),
  ]);
});

test('plans of before NICs had networks of their own are still read', () => {
  const { nic_model: _model, windows: _windows, ...old } = plan();
  const nics = old.nics.map(({ mac }) => ({ mac }));
  const read = DomainPlan.parse(JSON.parse(JSON.stringify({ ...old, nics })));
  expect(domainXml(read, '/o').match(/<source bridge='br0'/g)).toHaveLength(2);
});

test('more than 8 disks hang on one SCSI controller, each at an address of its own', () => {
  const xml = domainXml(plan({}, 20), '/o');
  expect(xml.match(/dev='sd[a-z]' bus='scsi'/g)).toHaveLength(20);
  expect(xml.match(/<controller type='scsi'[^>]*>/g)).toEqual([
    "<controller type='scsi' index='0' model='virtio-scsi'/>",
  ]);
  expect(new Set(xml.match(/target='\d+' unit='0'/g)).size).toBe(20);
  expect(domainXml(plan({}, 8), '/o')).not.toContain('scsi');
});

const windows = (product: string, major = 10, minor = 0) => ({
  type: 'windows',
  distro: 'windows',
  product,
  version: { major, minor },
});

test('Windows: local time, the devices of Hyper-V under KVM, and those devices that it has drivers for', () => {
  const guest = windows('Windows Server 2022 Standard');
  const xml = domainXml(plan({ guest }), '/o');
  expect(xml).toContain("<clock offset='localtime'>");
  expect(xml).toContain('<hyperv ');
  expect(xml).toContain("<timer name='hypervclock' present='yes'/>");
  expect(xml).toContain('id="http://microsoft.com/win/2k22"');
  expect(domainXml(plan({ guest, accelerator: 'qemu' }), '/o')).not.toContain('hyperv');
  // Its SCSI driver does not start at boot.
  expect(domainXml(plan({ guest }, 9), '/o').match(/bus='virtio'/g)).toHaveLength(9);
  const old = plan({ guest, devices: { disk_bus: 'sata', nic_model: 'e1000e' } });
  expect(domainXml(old, '/o')).toContain("dev='sda' bus='sata'");
  expect(domainXml(old, '/o').match(/<model type='e1000e'/g)).toHaveLength(2);
  const args = qemuArgs(old, ['/w/1.qcow2', '/w/2.qcow2'], 2 ** 30).join(' ');
  expect(args).toMatch(/ide-hd,[^ ]*drive=disk1/);
  expect(args).toContain('e1000e,netdev=net0');
  expect(plan({ guest: windows('Windows 7 Professional', 6, 1) }).machine).toBe('pc');
  expect(domainXml(plan(), '/o')).toContain("<clock offset='utc'/>");
});

test('Secure Boot and a TPM are told: keys and secrets of the old machine are not there', () => {
  const firmware = { kind: 'efi', code: '/c', vars_template: '/v', secure_boot: true, format: 'raw' } as const;
  const source = {
    ...completeMachine(machine, 'job-a').machine,
    firmware: 'efi' as const,
    secure_boot: true,
    tpm: true,
  };
  const domain = plan({ machine: source, firmware });
  const xml = domainXml(domain, '/o');
  expect(xml).toContain("<loader readonly='yes' secure='yes' type='pflash'>/c</loader>");
  expect(xml).toContain("<smm state='on'/>");
  expect(xml).toContain("<nvram template='/v'>/o/nvram.fd</nvram>");
  expect(plannedConcerns(domain, source).map(({ code }) => code)).toEqual(['TPM_BLANK', 'SECURE_BOOT']);
  const qcow2 = domainXml(plan({ machine: source, firmware: { ...firmware, format: 'qcow2' } }), '/o');
  expect(qcow2).toContain("<nvram format='qcow2'>/o/nvram.fd</nvram>");
});
