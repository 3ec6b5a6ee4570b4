/** Local files are looked into where they lie: the exporter says where that is, the converter looks. */
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, open, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConversionOptions, type DisksSource, type Machine, type OvaSource } from '@hyper2kvm/contracts';
import { inspectDisks, type DisksQuestion } from '@hyper2kvm/converter';
import { AllowedRoots, locateDisks } from '@hyper2kvm/exporter';
import { runGuarded, spawnGuarded } from '@hyper2kvm/runtime';
import { convert, digestOf, disks, makeBench, ova, tar, writeOvf, type Bench } from './export-local-setup.js';

const MIB = 2 ** 20;
const CAPACITY_MIB = 40;
const ROOT_UUID = '3b0c1f6a-2f7b-4a55-9d0c-7d1f0e6a1c02';
const FILES = {
  'etc/os-release': 'ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\n',
  'etc/fstab': '/dev/sda1 / ext4 errors=remount-ro 0 1\n',
  'boot/vmlinuz-6.1.0-9-custom': '',
  'boot/grub/grub.cfg': `menuentry 'Debian' {\n\tlinux\t/boot/vmlinuz-6.1.0-9-custom root=/dev/sda1 ro\n}\n`,
  // Nothing needs to be rebuilt for a kernel that has it all.
  'lib/modules/6.1.0-9-custom/modules.builtin': [
    'virtio/virtio_pci',
    'block/virtio_blk',
    'scsi/virtio_scsi',
    'net/virtio_net',
  ]
    .map((name) => `kernel/drivers/${name}.ko\n`)
    .join(''),
  'lib/modules/6.1.0-9-custom/modules.dep': '',
  'usr/lib/systemd/systemd': '',
  'usr/lib/systemd/libsystemd-shared-252.so': '',
};

let bench: Bench;
let raw: string;
beforeAll(async () => {
  bench = await makeBench();
  raw = await makeSystem(path.join(bench.root, 'system'));
});
afterAll(() => bench.remove());

/** One partition with a few files, which would not boot. */
async function makeSystem(name: string): Promise<string> {
  for (const [file, text] of Object.entries(FILES)) {
    await mkdir(path.join(name, path.dirname(file)), { recursive: true });
    await writeFile(path.join(name, file), text);
  }
  const image = `${name}.raw`;
  const table = Buffer.alloc(512);
  table.set([0x80, 0, 0, 0, 0x83], 446);
  table.writeUInt32LE(2048, 454);
  table.writeUInt32LE((CAPACITY_MIB - 1) * 2048, 458);
  table.set([0x55, 0xaa], 510);
  const file = await open(image, 'w');
  await file.truncate(CAPACITY_MIB * MIB);
  await file.write(table, 0, 512, 0);
  await file.close();
  const size = `${(CAPACITY_MIB - 1) * 1024}k`;
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-U', ROOT_UUID, '-d', name, '-E', `offset=${MIB}`, image, size], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return image;
}

const locate = (source: DisksSource | OvaSource) =>
  locateDisks(source, 'web-01', {
    allowed: new AllowedRoots([bench.images]),
    children: { spawn: spawnGuarded, run: runGuarded },
    signal: new AbortController().signal,
  });

const machine: Machine = {
  name: 'web-01',
  cpus: 1,
  memory_bytes: 1024 * MIB,
  firmware: 'bios',
  secure_boot: false,
  disks: [{ index: 1, name: 'disk1.vmdk', capacity_bytes: CAPACITY_MIB * MIB }],
  nics: [{ label: 'Network adapter 1', type: 'vmxnet3' }],
};

const ask = (asked: DisksQuestion['disks'], signal = new AbortController().signal) =>
  inspectDisks(
    { disks: asked, machine, options: ConversionOptions.parse({}), luksKeys: [] },
    { workDir: bench.work, applianceCacheDir: '/var/tmp' },
    signal,
  );

describe('where the images lie', () => {
  it('of single files, by their format', async () => {
    const qcow2 = await convert(raw, 'qcow2', path.join(bench.images, 'a.qcow2'));
    const vhd = await convert(raw, 'vpc', path.join(bench.images, 'b.vhd'), 'subformat=fixed');
    const flat = await convert(raw, 'vmdk', path.join(bench.images, 'c.vmdk'), 'subformat=monolithicFlat');
    expect(await locate(disks(qcow2, vhd, flat))).toEqual({
      disks: [
        { path: qcow2, format: 'qcow2' },
        { path: vhd, format: 'vpc' },
        { path: flat, format: 'vmdk' },
      ],
    });
  });

  it('is told of nothing outside of the allowed folders', async () => {
    await expect(locate(disks('/etc/passwd'))).rejects.toMatchObject({ code: 'PATH_DENIED' });
    const link = path.join(bench.images, 'link.raw');
    await symlink(raw, link);
    await expect(locate(disks(link))).rejects.toMatchObject({ code: 'PATH_DENIED' });
    const descriptor = path.join(bench.images, 'away.vmdk');
    const text = (await readFile(path.join(bench.images, 'c.vmdk'), 'utf8')).replace('c-flat.vmdk', '../system.raw');
    await writeFile(descriptor, text);
    await expect(locate(disks(descriptor))).rejects.toMatchObject({ code: 'SOURCE_INVALID' });
  });

  it('of an OVA, whose last disk is empty', async () => {
    const { source, member, whole } = await makeOva('blank', [{ capacityMib: 8 }]);
    const { disks: found } = await locate(source);
    expect(found).toEqual([
      { path: whole, format: 'vmdk', offset_bytes: expect.any(Number), size_bytes: member.length },
    ]);
    const { offset_bytes: at = 0 } = found[0] ?? {};
    expect((await readFile(whole)).subarray(at, at + member.length).equals(member)).toBe(true);
  });
});

async function makeOva(name: string, more: readonly { readonly capacityMib: number }[] = []) {
  const folder = path.join(bench.root, name);
  await mkdir(folder);
  const file = await convert(raw, 'vmdk', path.join(folder, 'disk1.vmdk'), 'subformat=streamOptimized');
  const member = await readFile(file);
  const told = { file: 'disk1.vmdk', bytes: member.length, capacityMib: CAPACITY_MIB };
  const names = await writeOvf(folder, name, { disks: [told, ...more] }, 'sha256');
  const whole = await tar(folder, names, path.join(bench.images, `${name}.ova`));
  return { source: ova(whole), member, whole };
}

describe('a look into them', () => {
  it('says what would be done with a disk within an OVA, and leaves nothing', async () => {
    const { source, whole } = await makeOva('web');
    const before = await digestOf(whole, 'sha256');
    const { disks: found } = await locate(source);
    const seen = await ask(found);
    expect(seen).toMatchObject({
      engine: 'native',
      guest: {
        type: 'linux',
        product: 'Debian GNU/Linux 12 (bookworm)',
        root: '/dev/sda1',
        init: 'systemd',
        kernels: ['6.1.0-9-custom'],
        mountpoints: [{ path: '/', device: '/dev/sda1' }],
        file_systems: [{ device: '/dev/sda1', type: 'ext4', uuid: ROOT_UUID }],
      },
    });
    expect(seen.changes).toContainEqual(
      expect.objectContaining({
        step: 'fstab',
        file: '/etc/fstab',
        diff: expect.stringContaining(`+UUID=${ROOT_UUID} / ext4 errors=remount-ro 0 1`),
      }),
    );
    expect(seen.seconds).toBeGreaterThan(0);
    expect(await digestOf(whole, 'sha256')).toBe(before);
    expect(await readdir(bench.work)).toEqual([]);
  });

  it('leaves nothing when it is given up', async () => {
    const stop = new AbortController();
    const file = path.join(bench.images, 'given-up.raw');
    await copyFile(raw, file);
    const asked = ask([{ path: file, format: 'raw' }], stop.signal);
    const appliance = async (): Promise<string[]> => {
      const [folder = ''] = await readdir(bench.work);
      return readdir(path.join(bench.work, folder)).catch(() => []);
    };
    await expect.poll(appliance, { timeout: 30_000 }).toContain('appliance');
    stop.abort(new Error('enough'));
    await expect(asked).rejects.toThrow();
    expect(await readdir(bench.work)).toEqual([]);
  });

  it('is refused of what leads to other files, and of what is no image', async () => {
    const backed = path.join(bench.images, 'backed.qcow2');
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', '/etc/passwd', '-F', 'raw', '-u', backed, '40M']);
    await expect(ask([{ path: backed, format: 'qcow2' }])).rejects.toMatchObject({ code: 'SOURCE_INVALID' });
    const away = { path: path.join(bench.images, 'away.vmdk'), format: 'vmdk' } as const;
    await expect(ask([away])).rejects.toMatchObject({ code: 'SOURCE_INVALID' });
    const none = { path: path.join(bench.images, 'given-up.raw'), format: 'vhdx' } as const;
    await expect(ask([none])).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      message: expect.stringMatching(/given-up\.raw cannot be read by QEMU: /),
    });
    await expect(ask([{ path: '/nowhere.raw', format: 'raw' }])).rejects.toMatchObject({ code: 'NO_WORKER' });
    expect(await readdir(bench.work)).toEqual([]);
  });
});
