import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseManifest } from '../src/sources/local/archive/manifest.js';
import { parsePax, parseTarHeader } from '../src/sources/local/archive/tar-header.js';
import { AllowedRoots } from '../src/sources/local/files/allowed.js';
import { firmwareOf } from '../src/sources/local/firmware.js';
import { parseDescriptor } from '../src/sources/local/headers/vmdk-descriptor.js';
import { inBytes } from '../src/sources/local/ovf/units.js';

const EFI_SYSTEM = 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b';
const BIOS_BOOT = '21686148-6449-6e6f-744e-656564454649';
const LINUX = '0fc63daf-8483-4772-8e79-3d69d8477de4';

/** As UEFI writes them: the first three groups little-endian. */
function guid(text: string): Buffer {
  const [a = '', b = '', c = '', ...rest] = text.split('-');
  const turned = [a, b, c].map((group) => Buffer.from(group, 'hex').toReversed());
  return Buffer.concat([...turned, Buffer.from(rest.join(''), 'hex')]);
}

function partitionTable(types: string[], sector = 512): Buffer {
  const head = Buffer.alloc(65_536);
  head.write('EFI PART', sector, 'latin1');
  head.writeBigUInt64LE(2n, sector + 72);
  head.writeUInt32LE(128, sector + 80);
  head.writeUInt32LE(128, sector + 84);
  for (const [at, type] of types.entries()) guid(type).copy(head, 2 * sector + at * 128);
  return head;
}

describe('firmware by the partition table', () => {
  test.each<[string, Buffer, 'bios' | 'efi']>([
    ['an EFI system partition', partitionTable([LINUX, EFI_SYSTEM]), 'efi'],
    ['an EFI system partition on sectors of 4 KiB', partitionTable([EFI_SYSTEM], 4096), 'efi'],
    ['both an EFI system and a BIOS boot partition', partitionTable([BIOS_BOOT, EFI_SYSTEM]), 'bios'],
    ['a GPT without either', partitionTable([LINUX]), 'bios'],
    ['no GPT', Buffer.alloc(65_536), 'bios'],
    ['less than a sector', Buffer.alloc(100), 'bios'],
  ])('%s', (_, head, firmware) => {
    expect(firmwareOf(head)).toBe(firmware);
  });
});

describe('bytes of a quantity', () => {
  test.each<[string | undefined, string | undefined, number | undefined]>([
    ['8', 'byte * 2^30', 8 * 2 ** 30],
    ['8', 'bytes*2^20', 8 * 2 ** 20],
    ['4', 'MegaBytes', 4 * 2 ** 20],
    ['3', 'byte * 10^9', 3e9],
    ['3', 'byte * 1024', 3072],
    ['512', undefined, 512],
    ['many', 'byte', undefined],
    ['1', 'furlongs', undefined],
    ['9007199254740993', 'byte', undefined],
    [undefined, 'byte', undefined],
  ])('%s %s', (quantity, units, bytes) => {
    expect(inBytes(quantity, units, 'byte')).toBe(bytes);
  });
});

describe('a manifest', () => {
  const sha1 = 'a'.repeat(40);
  test('of several algorithms, with blanks or without', () => {
    const found = parseManifest('x.mf', `SHA1(a.vmdk)= ${sha1}\r\nSHA256 (b (1).ovf) = ${'B'.repeat(64)}\n\n`);
    expect([...found]).toEqual([
      ['a.vmdk', { algorithm: 'sha1', value: sha1 }],
      ['b (1).ovf', { algorithm: 'sha256', value: 'b'.repeat(64) }],
    ]);
  });

  test.each([
    ['digits that are too few', `SHA256(a)= ${sha1}`],
    ['a name that leads out', `SHA1(../a)= ${sha1}`],
    ['two digests for a file', `SHA1(a)= ${sha1}\nSHA1(a)= ${'b'.repeat(40)}`],
    ['something else', 'hello'],
  ])('with %s is refused', (_, text) => {
    expect(() => parseManifest('x.mf', text)).toThrow(/x\.mf/);
  });
});

/** Valid but for its size field. */
const headerOf = (size: Buffer): Buffer => {
  const block = Buffer.alloc(512);
  block.write('name');
  size.copy(block, 124);
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
};

describe('a tar header', () => {
  test('with a size that is negative or no number is refused', () => {
    expect(parseTarHeader(headerOf(Buffer.from('00000000017\0')))?.sizeBytes).toBe(15);
    expect(() => parseTarHeader(headerOf(Buffer.alloc(12, 0xff)))).toThrow('no number');
    expect(() => parseTarHeader(headerOf(Buffer.from('0000000009x\0')))).toThrow('no number');
    expect(() => parseTarHeader(headerOf(Buffer.concat([Buffer.from([0x80, 1]), Buffer.alloc(10)])))).toThrow(
      'no number',
    );
  });

  test.each(['9 path=a', '99 path=a\n', 'x path=a\n', '5 =a\n', '0 path=a\n'])('of pax with %j is refused', (text) => {
    expect(() => parsePax(Buffer.from(text))).toThrow('pax');
  });
});

const descriptorWith = (line: string): string =>
  `# Disk DescriptorFile\nparentCID=ffffffff\ncreateType="vmfs"\n${line}\n`;

describe('a VMDK descriptor', () => {
  test('of a datastore', () => {
    expect(parseDescriptor('x', descriptorWith('RW 63 VMFS "web_1-flat.vmdk"'))).toEqual({
      createType: 'vmfs',
      extents: [{ sectors: 63, type: 'VMFS', name: 'web_1-flat.vmdk', offsetSectors: 0 }],
    });
  });

  test.each([
    ['RW 1 FLAT "a/b" 0'],
    ['RW 1 FLAT "..\\b" 0'],
    ['RW 1 FLAT ".." 0'],
    ['RW 1 FLAT "\uFFFD" 0'],
    ['RDONLY 1 FLAT "b" 0'],
    ['rw 1 FLAT "b" 0'],
    ['RW 1 SESPARSE "b"'],
    ['RW 1 FLAT'],
    ['RW 1 FLAT "b" 0 more'],
    ['parentFileNameHint="b"'],
    ['#parentFileNameHint="b"'],
    ['parentCID=0'],
    ['encryption.keySafe = "x"'],
  ])('with %j is refused', (line) => {
    expect(() => parseDescriptor('x', descriptorWith(line))).toThrow(/^x /);
  });
});

describe('allowed folders', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'h2k-allowed-'));
    await mkdir(path.join(folder, 'real', 'in'), { recursive: true });
    await mkdir(path.join(folder, 'real-not'));
    await writeFile(path.join(folder, 'real', 'in', 'a.raw'), 'a');
    await writeFile(path.join(folder, 'real-not', 'b.raw'), 'b');
    await symlink('real', path.join(folder, 'link'));
    await symlink('in/a.raw', path.join(folder, 'real', 'near.raw'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  test.each([
    ['real', 'real/in/a.raw'],
    ['real', 'link/../real/in/a.raw'],
    ['link', 'link/in/a.raw'],
    ['link', 'real/in/a.raw'],
    ['real', 'real/near.raw'],
  ])('beneath %s lies %s', async (root, file) => {
    const allowed = new AllowedRoots([path.join(folder, root)]);
    expect(await allowed.resolve(path.join(folder, file))).toBe(path.join(folder, 'real/in/a.raw'));
  });

  test.each([
    ['real', 'real-not/b.raw'],
    ['real', 'real/../real-not/b.raw'],
    ['real', 'real'],
    ['real/in', 'real'],
  ])('beneath %s does not lie %s', async (root, file) => {
    const allowed = new AllowedRoots([path.join(folder, root)]);
    await expect(allowed.resolve(`${folder}/${file}`)).rejects.toMatchObject({ code: 'PATH_DENIED' });
  });
});
