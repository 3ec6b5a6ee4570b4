/** Disks that cannot be exported: damaged, cut off, encrypted, or leading to other files. */
import { copyFile, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { DisksSource } from '@hyper2kvm/contracts';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  MATERIAL_MIB,
  assertNothingLeft,
  convert,
  disks,
  makeMaterial,
  poke,
  refusal,
  type Bench,
  type Refused,
} from './export-local-setup.js';

const MIB = 2 ** 20;

let bench: Bench;
let raw: string;
let outside: string;
let stream: string;

let serial = 0;

beforeAll(async () => {
  ({ bench, raw, outside, stream } = await makeMaterial());
});
afterAll(async () => {
  await bench?.remove();
});
afterEach(async () => {
  await assertNothingLeft(bench);
});

const fresh = (name: string): string => path.join(bench.images, `${serial++}-${name}`);

async function text(name: string, content: string | Buffer): Promise<string> {
  const file = fresh(name);
  await writeFile(file, content);
  return file;
}

const descriptor = (extents: string, more = 'parentCID=ffffffff'): string =>
  `# Disk DescriptorFile\nversion=1\nCID=123a5678\n${more}\ncreateType="twoGbMaxExtentFlat"\n# Extents\n${extents}\n`;

const SECTORS = (MATERIAL_MIB * MIB) / 512;

async function vhd(change_: (footer: Buffer) => void, subformat = 'dynamic'): Promise<string> {
  const file = await convert(raw, 'vpc', fresh('d.vhd'), `subformat=${subformat},force_size=on`);
  const bytes = await readFile(file);
  for (const footer of [bytes.subarray(0, 512), bytes.subarray(-512)]) {
    if (footer.toString('latin1', 0, 8) !== 'conectix') continue;
    change_(footer);
    footer.writeUInt32BE(0, 64);
    footer.writeUInt32BE(~footer.reduce((sum, byte) => sum + byte, 0) >>> 0, 64);
  }
  await writeFile(file, bytes);
  return file;
}

/** With the flag of a parent set in both of its region tables' metadata. */
async function vhdxWithParent(): Promise<string> {
  const file = await convert(raw, 'vhdx', fresh('d.vhdx'));
  const bytes = await readFile(file);
  const item = bytes.indexOf(Buffer.from('3767a1ca36fa434db3b633f0aa44e76b', 'hex'));
  const table = bytes.lastIndexOf(Buffer.from('metadata'), item);
  const at = table + bytes.readUInt32LE(item + 16) + 4;
  bytes.writeUInt32LE(bytes.readUInt32LE(at) | 2, at);
  await writeFile(file, bytes);
  return file;
}

const given = (file: Promise<string>): Promise<DisksSource> => file.then((one) => disks(one));

describe('a disk', () => {
  const cases: Refused[] = [
    [
      'of garbage',
      'SOURCE_INVALID',
      /no known disk format/,
      () => given(text('garbage.vmdk', Buffer.alloc(MIB, 'garbage'))),
    ],
    [
      'without a name of raw',
      'SOURCE_INVALID',
      /say so or name it \.raw/,
      () => given(convert(raw, 'raw', fresh('disk'))),
    ],
    [
      'that is a flat extent',
      'SOURCE_INVALID',
      /comes with a descriptor/,
      () => given(convert(raw, 'raw', fresh('d-flat.vmdk'))),
    ],
    [
      'that is not what was said',
      'SOURCE_INVALID',
      /is said to be vhdx, and looks like vmdk/,
      async () => disks({ path: stream, format: 'vhdx' }),
    ],
    [
      'qcow2 with a backing file outside',
      'SOURCE_INVALID',
      /has a backing file/,
      async () => {
        const file = fresh('overlay.qcow2');
        await execa('qemu-img', ['create', '-f', 'qcow2', '-F', 'qcow2', '-b', outside, file]);
        return disks(file);
      },
    ],
    [
      'qcow2 with its data in another file',
      'SOURCE_INVALID',
      /keeps its data in another file/,
      () => given(convert(raw, 'qcow2', fresh('d.qcow2'), `data_file=${bench.images}/data.bin,data_file_raw=on`)),
    ],
    [
      'qcow2, encrypted',
      'SOURCE_INVALID',
      /is encrypted/,
      async () => {
        const file = fresh('luks.qcow2');
        const options = ['-o', 'encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10'];
        const args = ['create', '-f', 'qcow2', '--object', 'secret,id=s,data=k', ...options, file, '8M'];
        // QEMU measures its key derivation, and gives up where a busy machine makes that inexact.
        for (let tries = 1; (await execa('qemu-img', args, { reject: tries === 10 })).failed; tries += 1);
        return disks(file);
      },
    ],
    [
      'qcow2, cut off',
      'SOURCE_INVALID',
      /is damaged|cannot be read by QEMU/,
      async () => {
        const file = await convert(raw, 'qcow2', fresh('cut.qcow2'));
        await truncate(file, 3 * MIB);
        return disks(file);
      },
    ],
    [
      'VHD, differencing',
      'SOURCE_INVALID',
      /differencing VHD:/,
      () => given(vhd((footer) => footer.writeUInt32BE(4, 60))),
    ],
    [
      'VHD with a damaged footer',
      'SOURCE_INVALID',
      /damaged VHD footer/,
      async () => disks(await poke(await vhd(() => {}), 30, Buffer.from('x'))),
    ],
    [
      'VHD, dynamic, cut off',
      'SOURCE_INVALID',
      /no VHD footer at its end/,
      async () => {
        const file = await vhd(() => {});
        await truncate(file, 3 * MIB);
        return disks(file);
      },
    ],
    [
      'VHD, fixed, of more than it holds',
      'SOURCE_INVALID',
      /should hold/,
      () => given(vhd((footer) => footer.writeBigUInt64BE(BigInt(MATERIAL_MIB * 2 * MIB), 48), 'fixed')),
    ],
    ['VHDX, differencing', 'SOURCE_INVALID', /differencing VHDX/, () => given(vhdxWithParent())],
    [
      'VHDX, cut off',
      'SOURCE_INVALID',
      /is damaged|cannot be read by QEMU/,
      async () => {
        const file = await convert(raw, 'vhdx', fresh('cut.vhdx'));
        await truncate(file, 12 * MIB);
        return disks(file);
      },
    ],
    [
      'VMDK, a stream that was cut off',
      'SOURCE_INVALID',
      /at byte \d+/,
      async () => {
        const file = fresh('cut.vmdk');
        await copyFile(stream, file);
        await truncate(file, 2 * MIB);
        return disks(file);
      },
    ],
    [
      'VMDK, a stream with a flipped bit',
      'SOURCE_INVALID',
      /grain \d+ cannot be inflated.*at byte \d+/,
      async () => {
        const file = fresh('flipped.vmdk');
        await copyFile(stream, file);
        return disks(await poke(file, 2 * MIB, Buffer.alloc(64, 0x55)));
      },
    ],
    [
      'VMDK, a stream whose header tells another size than its descriptor',
      'SOURCE_INVALID',
      /by its header, and \d+ by its descriptor/,
      async () => {
        const file = fresh('larger.vmdk');
        await copyFile(stream, file);
        return disks(await poke(file, 14, Buffer.from([1])));
      },
    ],
    [
      'VMDK, sparse, cut off',
      'SOURCE_INVALID',
      /is damaged|cannot be read by QEMU/,
      async () => {
        const file = await convert(raw, 'vmdk', fresh('cut.vmdk'), 'subformat=monolithicSparse');
        await truncate(file, 2 * MIB);
        return disks(file);
      },
    ],
    [
      'VMDK, sparse, with a parent',
      'SOURCE_INVALID',
      /is a snapshot/,
      async () => {
        const file = await convert(raw, 'vmdk', fresh('delta.vmdk'), 'subformat=monolithicSparse');
        const at = (await readFile(file)).indexOf('parentCID=ffffffff');
        return disks(await poke(file, at, Buffer.from('parentCID=12345678')));
      },
    ],
    [
      'VMDK of an overlay',
      'SOURCE_INVALID',
      /is a snapshot/,
      async () => {
        const base = await convert(raw, 'vmdk', path.join(bench.root, 'base.vmdk'), 'subformat=monolithicSparse');
        const file = fresh('overlay.vmdk');
        await execa('qemu-img', ['create', '-f', 'vmdk', '-F', 'vmdk', '-b', base, file]);
        return disks(file);
      },
    ],
    [
      'VMDK whose sparse header sends QEMU to a descriptor inside',
      'SOURCE_INVALID',
      /capacity of 0 sectors/,
      async () => {
        const file = await convert(raw, 'vmdk', fresh('nested.vmdk'), 'subformat=monolithicSparse');
        return disks(await poke(file, 12, Buffer.alloc(8)));
      },
    ],
    [
      'VMDK with an extent at ../',
      'SOURCE_INVALID',
      /refers to "\.\.\/outside\.qcow2": extents have to lie/,
      () => given(text('up.vmdk', descriptor(`RW ${SECTORS} FLAT "../outside.qcow2" 0`))),
    ],
    [
      'VMDK with an absolute extent',
      'SOURCE_INVALID',
      /refers to "\/etc\/passwd"/,
      () => given(text('passwd.vmdk', descriptor('RW 1 FLAT "/etc/passwd" 0'))),
    ],
    [
      'VMDK with an extent at an address',
      'SOURCE_INVALID',
      /refers to "nbd:127\.0\.0\.1:9"/,
      () => given(text('nbd.vmdk', descriptor('RW 1 FLAT "nbd:127.0.0.1:9" 0'))),
    ],
    [
      'VMDK with an extent that is a link out',
      'PATH_DENIED',
      /outside of the allowed folders/,
      async () => {
        const name = `${serial++}-out.bin`;
        await symlink(outside, path.join(bench.images, name));
        return disks(await text('link.vmdk', descriptor(`RW 1 FLAT "${name}" 0`)));
      },
    ],
    [
      'VMDK with a missing extent',
      'SOURCE_INVALID',
      /nowhere-flat\.vmdk does not exist/,
      () => given(text('lost.vmdk', descriptor('RW 1 FLAT "nowhere-flat.vmdk" 0'))),
    ],
    [
      'VMDK with an extent that is too short',
      'SOURCE_INVALID',
      /was cut off/,
      () => given(text('short.vmdk', descriptor(`RW ${SECTORS + 1} FLAT "disk.raw" 0`))),
    ],
    [
      'VMDK with a FIFO as its extent',
      'SOURCE_INVALID',
      /no regular file/,
      async () => {
        const name = `${serial++}-pipe`;
        await execa('mkfifo', [path.join(bench.images, name)]);
        return disks(await text('pipe.vmdk', descriptor(`RW 1 FLAT "${name}" 0`)));
      },
    ],
    [
      'VMDK that maps a raw device',
      'SOURCE_INVALID',
      /raw device mapping/,
      () => given(text('rdm.vmdk', descriptor('RW 1 VMFSRDM "disk.raw"'))),
    ],
    [
      'VMDK with an extent that QEMU leaves out',
      'SOURCE_INVALID',
      /extent without a file \(ZERO\)/,
      () => given(text('zero.vmdk', descriptor(`RW ${SECTORS} FLAT "disk.raw" 0\nRW 8 ZERO`))),
    ],
    [
      'VMDK that QEMU reads in another way',
      'SOURCE_INVALID',
      /by its header, and \d+ as QEMU reads it/,
      // A blank line before an extent makes QEMU count it twice.
      () => given(text('twice.vmdk', descriptor(`\n\nRW ${SECTORS} FLAT "disk.raw" 0`))),
    ],
    [
      'VMDK with a line that is none',
      'SOURCE_INVALID',
      /line that no VMDK descriptor has/,
      () => given(text('line.vmdk', descriptor(`RW\n${SECTORS} FLAT "/etc/passwd" 0`))),
    ],
    [
      'VMDK descriptor of a snapshot',
      'SOURCE_INVALID',
      /is a snapshot/,
      () =>
        given(
          text(
            'snap.vmdk',
            descriptor(`RW ${SECTORS} FLAT "disk.raw" 0`, 'parentCID=12345678\nparentFileNameHint="/etc/passwd"'),
          ),
        ),
    ],
    [
      'of another content than its checksum',
      'SOURCE_CHECKSUM',
      /disk\.raw should have the checksum sha256:0{64}, and has sha256:[0-9a-f]{64}/,
      async () => disks({ path: raw, checksum: `sha256:${'0'.repeat(64)}` }),
    ],
    [
      'of a stream with another checksum',
      'SOURCE_CHECKSUM',
      /stream\.vmdk/,
      async () => disks({ path: stream, checksum: `md5:${'0'.repeat(32)}` }),
    ],
  ];
  test.each(cases)('%s', async (_, code, says, make) => {
    const error = await refusal(bench, await make());
    expect(error.message).toMatch(says);
    expect(error.code).toBe(code);
  });
});
