import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConversionOptions, type Machine } from '@hyper2kvm/contracts';
import { ConverterConfig, toSettings } from '../src/config.js';
import { allowedOutput, dateFolder } from '../src/output-root.js';
import { closedFolders } from '../src/targets/access.js';
import { checkTarget, planFor, targetOf } from '../src/targets/index.js';
import { isLocal, planDomain, readCapabilities, readDomain } from '../src/targets/libvirt/index.js';
import { workSettings } from './output-settings.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'h2k-targets-'));
});
afterEach(() => rm(root, { recursive: true }));

const machine: Machine = {
  name: 'db',
  cpus: 2,
  memory_bytes: 2 ** 30,
  firmware: 'bios',
  secure_boot: false,
  disks: [],
  nics: ['VM Network', 'DMZ', 'Storage'].map((network, index) => ({
    label: `NIC ${index + 1}`,
    type: 'vmxnet3',
    mac: `00:50:56:00:00:0${index + 1}`,
    network,
  })),
};

describe('a target', () => {
  const targets = {
    kvm1: { libvirt_uri: 'qemu+ssh://root@kvm1/system', output_dir: '/mnt/kvm1', pool: 'kvm1' },
    kvm2: { libvirt_uri: 'qemu+ssh://root@kvm2/system', network: { type: 'bridge' as const, name: 'br2' } },
  };
  const settings = toSettings(ConverterConfig.parse({}), targets);

  test('has what the configuration says of it, the rest is the converter’s own', () => {
    expect(targetOf(settings, undefined)).toMatchObject({ uri: 'qemu:///system', network: { name: 'default' } });
    expect(targetOf(settings, 'kvm1')).toMatchObject({
      outputDir: '/mnt/kvm1',
      pool: 'kvm1',
      network: { name: 'default' },
    });
    expect(targetOf(settings, 'kvm2')).toMatchObject({
      outputDir: '/var/lib/hyper2kvm/output',
      network: { name: 'br2' },
    });
    for (const name of ['kvm3', '__proto__', 'constructor'])
      expect(() => targetOf(settings, name)).toThrow(`there is no target ${name}: there are kvm1, kvm2`);
  });

  test('may have its outputs where it says', () => {
    expect(dateFolder(settings, '/mnt/kvm1', '2026-01-17T10:00:00Z')).toBe('/mnt/kvm1/2026-01-17');
    expect(() => dateFolder(settings, '/mnt/kvm2', '2026-01-17T10:00:00Z')).toThrow('not below');
  });

  test('local or not', () => {
    expect(['qemu:///system', 'qemu+unix:///system?socket=/x'].map(isLocal)).toEqual([true, true]);
    expect(['qemu+ssh://kvm1/system', 'qemu+tls://kvm1/system'].map(isLocal)).toEqual([false, false]);
  });
});

test('an import at another host: what the job mapped stays, the rest goes by that host', () => {
  const domain = planDomain({
    machine,
    uuid: '420f5e88-76b8-4e22-bd64-d287210e14ae',
    kernel: undefined,
    accelerator: 'kvm',
    firmware: { kind: 'bios' },
    network: { type: 'network', name: 'default' },
    networkMaps: { job: [{ from: 'DMZ', to: 'br-dmz' }], target: [{ from: 'Storage', to: 'br-old' }] },
    disks: [{ index: 1, file: 'disk1.qcow2', format: 'qcow2' }],
  });
  const disk = { source_name: '', exported_segments: [], capacity_bytes: 1 };
  const disks = domain.disks.map((each) => ({ ...each, ...disk }));
  const kvm2 = {
    name: 'kvm2',
    network: { type: 'bridge' as const, name: 'br2' },
    networkMap: [{ from: 'Storage', to: 'network:storage' }],
  };
  const names = (madeFor: string | undefined) =>
    planFor({ domain, disks, ...(madeFor === undefined ? {} : { target: madeFor }) }, kvm2).nics.map(
      ({ network }) => `${network?.type} ${network?.name}`,
    );
  expect(names(undefined)).toEqual(['bridge br2', 'bridge br-dmz', 'network storage']);
  expect(names('kvm2')).toEqual(['network default', 'bridge br-dmz', 'bridge br-old']);
});

const diskText = (file: string): string => `<disk type='file'><source file='${file}' index='1'/></disk>`;
const domainText = (inner: string): string => `<domain type='kvm'><name>x</name><devices>${inner}</devices></domain>`;

test('what libvirt says of domains and hosts', () => {
  expect(readDomain(domainText(diskText('/o/a&amp;b.qcow2')))).toEqual({ files: ['/o/a&b.qcow2'], hasTpm: false });
  expect(
    readDomain(
      domainText(`${diskText('/o/1')}${diskText('/o/2')}<disk type='block'><source dev='/dev/sdb'/></disk><tpm/>`),
    ),
  ).toEqual({
    files: ['/o/1', '/o/2'],
    hasTpm: true,
  });
  const caps = `<domainCapabilities><domain>kvm</domain><os supported='yes'>
    <enum name='firmware'><value>efi</value></enum><loader supported='yes'><value>/usr/share/OVMF/OVMF_CODE.fd</value></loader></os>
    <devices><tpm supported='yes'><enum name='backendModel'><value>passthrough</value><value>emulator</value></enum></tpm></devices>
    </domainCapabilities>`;
  expect(readCapabilities(caps)).toEqual({
    accelerator: 'kvm',
    loaders: ['/usr/share/OVMF/OVMF_CODE.fd'],
    emulatesTpm: true,
  });
  expect(readCapabilities('<domainCapabilities><domain>qemu</domain></domainCapabilities>')).toEqual({
    accelerator: 'qemu',
    loaders: [],
    emulatesTpm: false,
  });
});

const ask = (changes: Partial<Machine>, options = {}, settings = {}, pools = ['any']) =>
  checkTarget(
    { machine: { ...machine, ...changes }, vm_name: 'db', options: ConversionOptions.parse(options) },
    { ...workSettings(root), ...settings },
    pools,
    new AbortController().signal,
  );
const disk = (capacity_bytes: number, used_bytes: number) => [{ index: 1, name: 'a', capacity_bytes, used_bytes }];

const codes = async (capacity: number, used: number) =>
  (await ask({ disks: disk(capacity, used) })).concerns.map(({ code }) => code);

describe('before an export', () => {
  test('room for the disks: too little for what they use, or for what they may grow to', async () => {
    expect(await codes(2 ** 50, 2 ** 50)).toContain('SPACE');
    expect(await codes(2 ** 50, 1)).toEqual(['TARGET', 'NETWORK_UNMAPPED', 'NETWORK_UNMAPPED', 'NETWORK_UNMAPPED']);
    expect(await codes(1024, 512)).not.toContain('TARGET');
  });

  test('folders and formats that are not possible', async () => {
    const { problems } = await ask({}, { output_dir: '/etc', output_format: 'raw', compress: 'zstd' });
    expect(problems.map(({ code }) => code)).toEqual(['BAD_REQUEST', 'BAD_REQUEST']);
    await writeFile(path.join(root, 'output'), 'a file');
    expect((await ask({})).problems).toMatchObject([{ code: 'TARGET_UNSUITABLE' }]);
  });

  test('drivers for Windows', async () => {
    const windows = { guest_id: 'windows2019srv_64Guest' };
    expect((await ask(windows)).problems).toMatchObject([{ code: 'DRIVERS_MISSING' }]);
    expect((await ask(windows, {}, { virtioWin: root })).problems).toEqual([]);
    expect((await ask(windows, { no_os: true })).problems).toEqual([]);
  });

  test('a map that no NIC uses, and storage that this converter does not reach', async () => {
    const targets = { far: { libvirt_uri: 'qemu+ssh://far/system', pool: 'far' } };
    const { concerns, problems } = await ask(
      {},
      { target: 'far', network_map: [{ from: 'VM Netwrk', to: 'br0' }] },
      { targets },
    );
    expect(concerns.map(({ message }) => message)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/no NIC of the VM is in the network VM Netwrk/),
        expect.stringMatching(/none of the target's pool/),
      ]),
    );
    expect(problems).toEqual([]);
  });
});

test('folders that others cannot pass', async () => {
  const inner = path.join(root, 'a', 'b');
  await mkdir(inner, { recursive: true });
  await chmod(root, 0o711);
  await chmod(path.join(root, 'a'), 0o750);
  expect(await closedFolders(inner)).toEqual([path.join(root, 'a')]);
  await chmod(path.join(root, 'a'), 0o711);
  expect(await closedFolders(inner)).toEqual([]);
  expect((await stat(inner)).isDirectory()).toBe(true);
});

test('only what lies in an output folder can be imported', async () => {
  const settings = workSettings(root);
  const output = path.join(settings.outputDir, '2026-01-17', 'vm');
  await mkdir(output, { recursive: true });
  await mkdir(`${settings.outputDir}-other`);
  expect(await allowedOutput(`${output}/../vm`, settings)).toBe(output);
  for (const folder of [
    `${settings.outputDir}-other`,
    `${output}/../../..`,
    '/etc',
    '/nonexistent',
    `${output}/../../../none`,
  ])
    await expect(allowedOutput(folder, settings), folder).rejects.toMatchObject({ code: 'PATH_DENIED' });
  await expect(allowedOutput(`${output}-none`, settings)).rejects.toMatchObject({ code: 'ARTIFACT_MISSING' });
});
