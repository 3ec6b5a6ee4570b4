/** OVA archives and OVF folders: the machine that they tell, and content that agrees with their manifest. */
import { mkdir, open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  bring,
  convert,
  describeOnly,
  digestOf,
  leftovers,
  makeBench,
  makeRaw,
  ova,
  sameContent,
  tar,
  writeOvf,
  type Bench,
  type OvfOptions,
} from './export-local-setup.js';

const CAPACITY_MIB = 40;

let bench: Bench;
let raws: string[];
let folder: string;
let options: OvfOptions;

beforeAll(async () => {
  bench = await makeBench();
  folder = path.join(bench.images, 'web');
  await mkdir(folder);
  raws = [];
  for (const at of [0, 1]) {
    const raw = await makeRaw(path.join(bench.root, `${at}.raw`), CAPACITY_MIB * 2 ** 20, at + 10);
    raws.push(raw);
    await convert(raw, 'vmdk', path.join(folder, `web-disk${at}.vmdk`), 'subformat=streamOptimized');
  }
  options = {
    disks: await Promise.all(
      ['web-disk0.vmdk', 'web-disk1.vmdk'].map(async (file) => ({
        file,
        bytes: (await readFile(path.join(folder, file))).length,
        capacityMib: CAPACITY_MIB,
      })),
    ),
    more: `<vmw:Config ovf:required="false" vmw:key="firmware" vmw:value="efi"/>
      <vmw:Config ovf:required="false" vmw:key="bootOptions.efiSecureBootEnabled" vmw:value="true"/>`,
  };
});
afterAll(async () => {
  await bench.remove();
});

const archive = (name: string): string => path.join(bench.images, name);

test.each(['sha1', 'sha256'] as const)('an OVA with a %s manifest', async (algorithm) => {
  const names = await writeOvf(folder, 'web', options, algorithm);
  const file = await tar(folder, names, archive(`${algorithm}.ova`));
  const before = await digestOf(file, 'sha256');
  const { machine, concerns, results } = await bring(bench, ova(file));
  expect(machine).toEqual({
    name: 'web-01',
    cpus: 4,
    cores_per_socket: 2,
    memory_bytes: 3072 * 2 ** 20,
    firmware: 'efi',
    secure_boot: true,
    guest_id: 'debian12_64Guest',
    guest_name: 'Debian 12 & friends',
    disks: [0, 1].map((at) => ({
      index: at + 1,
      name: `web-disk${at}.vmdk`,
      capacity_bytes: CAPACITY_MIB * 2 ** 20,
      controller: 'ParaVirtualSCSIController0',
    })),
    nics: [{ label: 'Ethernet 1', type: 'vmxnet3', network: 'VM Network' }],
  });
  expect(concerns).toEqual([]);
  for (const [at, raw] of raws.entries()) {
    await sameContent(raw, results[at]?.path ?? '');
    // Compared in the pass that decoded it.
    expect(results[at]?.digests[algorithm]).toBe(await digestOf(path.join(folder, `web-disk${at}.vmdk`), algorithm));
  }
  expect(await digestOf(file, 'sha256')).toBe(before);
  expect(await leftovers(bench)).toEqual([]);
});

test('the same as a folder, with a manifest of SHA-512 that is compared before', async () => {
  await writeOvf(folder, 'web', options, 'sha512');
  const { machine, concerns, results } = await bring(bench, ova(path.join(folder, 'web.ovf')), { vmName: 'renamed' });
  expect(machine.name).toBe('renamed');
  expect(concerns).toEqual([]);
  for (const [at, raw] of raws.entries()) await sameContent(raw, results[at]?.path ?? '');
});

test('a folder whose disks have other formats', async () => {
  const others = path.join(bench.images, 'others');
  await mkdir(others);
  await convert(raws[0] ?? '', 'vpc', path.join(others, 'a.vhd'), 'subformat=dynamic,force_size=on');
  await convert(raws[1] ?? '', 'vmdk', path.join(others, 'b.vmdk'), 'subformat=monolithicFlat');
  const mixed = { disks: ['a.vhd', 'b.vmdk'].map((file) => ({ file, capacityMib: CAPACITY_MIB })) };
  await writeOvf(others, 'mixed', mixed, 'sha256');
  const { results } = await bring(bench, ova(path.join(others, 'mixed.ovf')));
  for (const [at, raw] of raws.entries()) await sameContent(raw, results[at]?.path ?? '');
});

test.each(['gnu', 'pax', 'v7'])('an archive written as %s by `tar -cf x.ova ./*`, with a long name', async (format) => {
  const long = path.join(bench.images, `long-${format}`);
  await mkdir(long);
  // Names of more than 100 bytes are written in each format's own way.
  const name = format === 'v7' ? 'disk.vmdk' : `${'long-'.repeat(25)}disk.vmdk`;
  await convert(raws[0] ?? '', 'vmdk', path.join(long, name), 'subformat=streamOptimized');
  const names = await writeOvf(long, 'web', { disks: [{ file: name, capacityMib: CAPACITY_MIB }] }, 'sha256');
  const file = await tar(
    long,
    names.map((one) => `./${one}`),
    archive(`${format}.ova`),
    format,
  );
  const { results } = await bring(bench, ova(file));
  await sameContent(raws[0] ?? '', results[0]?.path ?? '');
});

test('a disk without a file becomes an empty one', async () => {
  const names = await writeOvf(
    folder,
    'web',
    { disks: [...options.disks.slice(0, 1), { capacityMib: 3 * 1024 }] },
    'sha256',
  );
  const file = await tar(folder, names, archive('blank.ova'));
  const { machine, concerns, results } = await bring(bench, ova(file));
  expect(machine.disks[1]).toMatchObject({ index: 2, capacity_bytes: 3 * 2 ** 30, used_bytes: 0 });
  expect(concerns).toContainEqual(expect.stringContaining('disk 2 has no file'));
  expect(results[1]?.segments.every((segment) => segment === null)).toBe(true);
});

test('what could not be compared is told', async () => {
  const names = await writeOvf(folder, 'plain', { ...options, more: '' }, undefined);
  const file = await tar(folder, names, archive('plain.ova'));
  const { machine, concerns } = await bring(bench, ova(file));
  expect(machine.firmware).toBe('bios');
  expect(concerns).toContainEqual(expect.stringContaining('no manifest'));
  expect(concerns).toContainEqual(expect.stringContaining('no firmware'));
});

test("the user's checksum of the whole archive", async () => {
  const names = await writeOvf(folder, 'web', options, 'sha256');
  const file = await tar(folder, names, archive('summed.ova'));
  const { results } = await bring(bench, ova(file, `sha256:${await digestOf(file, 'sha256')}`));
  expect(results).toHaveLength(2);
});

test('an archive of a terabyte is described at once', async () => {
  const [descriptor = '', manifest = '', ...rest] = await writeOvf(folder, 'web', options, 'sha256');
  const file = await tar(folder, [descriptor, manifest], archive('huge.ova'), 'gnu');
  const others = await readFile(await tar(folder, rest, path.join(bench.root, 'rest.tar'), 'gnu'));
  // Between them a file of 1 TB, as a hole: an index that reads what it passes over would not end.
  const end = lastMemberEnd(await readFile(file));
  const handle = await open(file, 'r+');
  try {
    await handle.truncate(end);
    await handle.write(tarHeader('big.iso', 2 ** 40), 0, 512, end);
    await handle.write(others, 0, others.length, end + 512 + 2 ** 40);
  } finally {
    await handle.close();
  }
  expect((await describeOnly(bench, ova(file))).machine.disks).toHaveLength(2);
  // Reading a terabyte, though it is holes, takes minutes.
}, 60_000);

/** Of GNU tar's archive: it ends with blocks of zeros. */
function lastMemberEnd(bytes: Buffer): number {
  let at = 0;
  while (bytes[at] !== 0) {
    const size = Number.parseInt(bytes.toString('latin1', at + 124, at + 135), 8);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return at;
}

/** With its size as a binary number, as GNU tar writes what has no room in octal digits. */
function tarHeader(name: string, sizeBytes: number): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.writeUInt8(0x80, 124);
  header.writeUIntBE(sizeBytes, 130, 6);
  header.write('ustar  \0', 257, 'latin1');
  header.write('0', 156);
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}
