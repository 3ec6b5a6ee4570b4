/** Every format that a disk may have as a local file comes out with the same content. */
import { open } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  bring,
  convert,
  digestOf,
  disks,
  leftovers,
  makeBench,
  makeRaw,
  sameContent,
  type Bench,
} from './export-local-setup.js';

/** Two and a bit segments; no multiple of 64 KiB. */
const BYTES = 130 * 2 ** 20 + 512 * 9;

let bench: Bench;
let raw: string;

beforeAll(async () => {
  bench = await makeBench();
  raw = await makeRaw(path.join(bench.images, 'disk.raw'), BYTES);
});
afterAll(async () => {
  await bench.remove();
});

const at = (name: string): string => path.join(bench.images, name);

const FORMATS: [string, string, string | undefined, string][] = [
  ['streamOptimized VMDK', 'vmdk', 'subformat=streamOptimized', 'stream.vmdk'],
  ['sparse VMDK', 'vmdk', 'subformat=monolithicSparse', 'sparse.vmdk'],
  ['flat VMDK with its descriptor', 'vmdk', 'subformat=monolithicFlat', 'flat.vmdk'],
  ['VMDK in flat extents', 'vmdk', 'subformat=twoGbMaxExtentFlat', 'flats.vmdk'],
  ['VMDK in sparse extents', 'vmdk', 'subformat=twoGbMaxExtentSparse', 'sparses.vmdk'],
  ['dynamic VHD', 'vpc', 'subformat=dynamic,force_size=on', 'dynamic.vhd'],
  ['dynamic VHD of a size by its geometry', 'vpc', 'subformat=dynamic', 'geometry.vhd'],
  ['fixed VHD', 'vpc', 'subformat=fixed,force_size=on', 'fixed.vhd'],
  ['VHDX', 'vhdx', undefined, 'disk.vhdx'],
  ['qcow2', 'qcow2', undefined, 'disk.qcow2'],
  ['qcow2 of version 2', 'qcow2', 'compat=0.10', 'old.qcow2'],
];

describe('a local disk as', () => {
  test.each(FORMATS)('%s', async (_, format, options, name) => {
    const file = await convert(raw, format, at(name), options);
    const before = await digestOf(file, 'sha256');
    const { machine, results } = await bring(bench, disks(file), { vmName: 'web' });
    const [result] = results;
    expect(machine.disks).toHaveLength(1);
    // Some formats round up; nothing may be lost.
    expect(machine.disks[0]?.capacity_bytes).toBeGreaterThanOrEqual(BYTES);
    if (!name.startsWith('geometry') && format !== 'vhdx') expect(machine.disks[0]?.capacity_bytes).toBe(BYTES);
    await sameContent(raw, result?.path ?? '');
    // Holes stay holes: 5 MiB have content.
    expect(result?.imageBytes).toBeLessThan(8 * 2 ** 20);
    expect(await digestOf(file, 'sha256')).toBe(before);
    expect(await leftovers(bench)).toEqual([]);
  });

  test('raw, by its name', async () => {
    const { results } = await bring(bench, disks(raw), { vmName: 'web' });
    await sameContent(raw, results[0]?.path ?? '');
  });

  test('raw, by being said', async () => {
    const file = await convert(raw, 'raw', at('nameless'));
    const { results } = await bring(bench, disks({ path: file, format: 'raw' }), { vmName: 'web' });
    await sameContent(raw, results[0]?.path ?? '');
  });
});

test('a VHD keeps the size of its footer, not that of its geometry', async () => {
  // Made by VirtualBox, to QEMU: it would take cylinders, heads and sectors, which are rounded down.
  const file = await convert(raw, 'vpc', at('vbox.vhd'), 'subformat=fixed,force_size=on');
  const handle = await open(file, 'r+');
  try {
    const { size } = await handle.stat();
    const footer = Buffer.alloc(512);
    await handle.read(footer, 0, 512, size - 512);
    footer.write('vbox', 28, 'latin1');
    footer.writeUInt16BE(Math.floor(BYTES / 512 / (16 * 63)), 56);
    footer.writeUInt8(16, 58);
    footer.writeUInt8(63, 59);
    footer.writeUInt32BE(0, 64);
    footer.writeUInt32BE(~footer.reduce((sum, byte) => sum + byte, 0) >>> 0, 64);
    await handle.write(footer, 0, 512, size - 512);
  } finally {
    await handle.close();
  }
  const { machine, results } = await bring(bench, disks(file), { vmName: 'web' });
  expect(machine.disks[0]?.capacity_bytes).toBe(BYTES);
  await sameContent(raw, results[0]?.path ?? '');
});

test('several disks keep their order, and say what was assumed of the machine', async () => {
  const second = await makeRaw(at('second.raw'), 20 * 2 ** 20, 7);
  const qcow2 = await convert(second, 'qcow2', at('second.qcow2'));
  const stream = await convert(raw, 'vmdk', at('first.vmdk'), 'subformat=streamOptimized');
  const { machine, concerns, results } = await bring(bench, disks(stream, qcow2), { vmName: 'web' });
  expect(machine).toMatchObject({
    name: 'web',
    cpus: 2,
    memory_bytes: 2 ** 31,
    firmware: 'bios',
    disks: [
      { index: 1, name: 'first.vmdk' },
      { index: 2, name: 'second.qcow2' },
    ],
  });
  expect(machine.nics).toHaveLength(1);
  expect(machine.nics[0]).not.toHaveProperty('mac');
  expect(concerns.join('\n')).toMatch(/CPUs.*\n.*memory.*\n.*firmware.*bios.*\n.*network/);
  await sameContent(raw, results[0]?.path ?? '');
  await sameContent(second, results[1]?.path ?? '');
});

test('what was said of the machine is not assumed', async () => {
  const source = { ...disks(raw), cpus: 8, memory_bytes: 2 ** 33, firmware: 'efi' as const };
  const { machine, concerns } = await bring(bench, source, { vmName: 'web' });
  expect(machine).toMatchObject({ cpus: 8, memory_bytes: 2 ** 33, firmware: 'efi' });
  expect(concerns.join('\n')).not.toMatch(/CPU|memory|firmware/);
});

describe('a checksum of the user', () => {
  const algorithms = ['md5', 'sha1', 'sha256'] as const;
  test.each(algorithms)('%s of a stream is compared in the same pass', async (algorithm) => {
    const file = await convert(raw, 'vmdk', at('sum.vmdk'), 'subformat=streamOptimized');
    const digest = await digestOf(file, algorithm);
    const { results } = await bring(bench, disks({ path: file, checksum: `${algorithm}:${digest}` }), {
      vmName: 'web',
    });
    expect(results[0]?.digests[algorithm]).toBe(digest);
  });

  test('of any other file is compared before', async () => {
    const file = await convert(raw, 'qcow2', at('sum.qcow2'));
    const checksum = `md5:${await digestOf(file, 'md5')}`;
    const { results } = await bring(bench, disks({ path: file, checksum }), { vmName: 'web' });
    await sameContent(raw, results[0]?.path ?? '');
  });
});
