/** OVAs and OVF folders that cannot be exported. */
import { copyFile, mkdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { OvaSource } from '@hyper2kvm/contracts';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  MATERIAL_MIB,
  assertNothingLeft,
  convert,
  digestOf,
  makeMaterial,
  ova,
  ovfText,
  poke,
  refusal,
  tar,
  type Bench,
  type Refused,
  writeOvf,
} from './export-local-setup.js';

const MIB = 2 ** 20;

let bench: Bench;
let raw: string;
let stream: string;
let folder: string;
let serial = 0;

beforeAll(async () => {
  ({ bench, raw, stream } = await makeMaterial());
  folder = path.join(bench.images, 'ovf');
  await mkdir(folder);
  await copyFile(stream, path.join(folder, 'd.vmdk'));
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

const DISK = { file: 'd.vmdk', capacityMib: MATERIAL_MIB };

const packed = async (names: readonly string[]): Promise<OvaSource> => ova(await tar(folder, names, fresh('x.ova')));
const written = (content: string): Promise<OvaSource> =>
  writeFile(path.join(folder, 'alone.ovf'), content).then(() => ova(path.join(folder, 'alone.ovf')));

/** Its manifest is right but for one digit of the line of that file. */
async function badManifest(algorithm: 'sha1' | 'sha256' | 'sha512', file: string): Promise<OvaSource> {
  const names = await writeOvf(folder, 'w', { disks: [DISK] }, algorithm);
  const manifest = path.join(folder, 'w.mf');
  const right = await digestOf(path.join(folder, file), algorithm);
  const wrong = `${right.slice(0, -1)}${right.endsWith('0') ? '1' : '0'}`;
  await writeFile(manifest, (await readFile(manifest, 'utf8')).replace(right, wrong));
  return packed(names);
}

describe('an OVA', () => {
  const cases: Refused[] = [
    ['with a bad SHA-1 of its disk', 'SOURCE_CHECKSUM', /d\.vmdk/, () => badManifest('sha1', 'd.vmdk')],
    ['with a bad SHA-256 of its disk', 'SOURCE_CHECKSUM', /d\.vmdk/, () => badManifest('sha256', 'd.vmdk')],
    ['with a bad SHA-512 of its disk', 'SOURCE_CHECKSUM', /d\.vmdk/, () => badManifest('sha512', 'd.vmdk')],
    ['with a bad SHA-1 of its descriptor', 'SOURCE_CHECKSUM', /w\.ovf/, () => badManifest('sha1', 'w.ovf')],
    [
      'with a bad checksum of a file that is not used',
      'SOURCE_CHECKSUM',
      /notes\.txt/,
      async () => {
        const names = await writeOvf(folder, 'w', { disks: [DISK] }, 'sha256');
        await writeFile(path.join(folder, 'notes.txt'), 'notes');
        await writeFile(path.join(folder, 'w.mf'), `SHA256(notes.txt)= ${'0'.repeat(64)}\n`);
        return packed([...names, 'notes.txt']);
      },
    ],
    [
      'whose manifest names a file that is not there',
      'SOURCE_INVALID',
      /holds no gone\.txt/,
      async () => {
        const names = await writeOvf(folder, 'w', { disks: [DISK] }, 'sha256');
        await writeFile(path.join(folder, 'w.mf'), `SHA256(gone.txt)= ${'0'.repeat(64)}\n`);
        return packed(names);
      },
    ],
    [
      'whose manifest is none',
      'SOURCE_INVALID',
      /line that no manifest has/,
      async () => {
        const names = await writeOvf(folder, 'w', { disks: [DISK] }, 'sha256');
        await writeFile(path.join(folder, 'w.mf'), 'MD4(d.vmdk)= 00\n');
        return packed(names);
      },
    ],
    [
      'that was cut off',
      'SOURCE_INVALID',
      /d\.vmdk goes on beyond the end/,
      async () => {
        const source = await packed(await writeOvf(folder, 'w', { disks: [DISK] }, 'sha256'));
        await truncate(source.path, 2 * MIB);
        return source;
      },
    ],
    ['that is garbage', 'SOURCE_INVALID', /is no OVA/, async () => ova(await text('g.ova', Buffer.alloc(MIB, 'g')))],
    [
      'with a damaged header',
      'SOURCE_INVALID',
      /wrong checksum/,
      async () => {
        const source = await packed(await writeOvf(folder, 'w', { disks: [DISK] }, 'sha256'));
        await poke(source.path, 3, Buffer.from('x'));
        return source;
      },
    ],
    ['without a descriptor', 'SOURCE_INVALID', /no OVF descriptor/, () => packed(['d.vmdk'])],
    [
      'without the disk of its descriptor',
      'SOURCE_INVALID',
      /holds no d\.vmdk/,
      async () => packed((await writeOvf(folder, 'w', { disks: [DISK] }, undefined)).slice(0, 1)),
    ],
    [
      'with a name that leads out',
      'SOURCE_INVALID',
      /"\.\.\/evil\.vmdk"/,
      async () => {
        const names = await writeOvf(folder, 'w', { disks: [DISK] }, undefined);
        const file = fresh('evil.ova');
        await execa('tar', ['-C', folder, '-P', '--transform=s,d.vmdk,../evil.vmdk,', '-cf', file, ...names]);
        return ova(file);
      },
    ],
    [
      'with a link in it',
      'SOURCE_INVALID',
      /no plain file/,
      async () => {
        const names = await writeOvf(folder, 'w', { disks: [{ ...DISK, file: 'd.vmdk' }] }, undefined);
        await symlink('/etc/passwd', path.join(folder, 'l.vmdk')).catch(() => {});
        return packed([...names, 'l.vmdk']);
      },
    ],
    [
      'with a disk of another size than its descriptor says',
      'SOURCE_INVALID',
      /and 77 by the descriptor/,
      async () => packed(await writeOvf(folder, 'w', { disks: [{ ...DISK, bytes: 77 }] }, undefined)),
    ],
    [
      'with a compressed disk',
      'SOURCE_INVALID',
      /compressed by gzip/,
      () => written(ovfText({ disks: [{ ...DISK, attributes: 'ovf:compression="gzip"' }] })),
    ],
    [
      'with a disk in chunks',
      'SOURCE_INVALID',
      /in chunks/,
      () => written(ovfText({ disks: [{ ...DISK, attributes: 'ovf:chunkSize="7"' }] })),
    ],
    [
      'whose descriptor leads out',
      'SOURCE_INVALID',
      /have to lie beside the descriptor/,
      () => written(ovfText({ disks: [{ ...DISK, file: '../../outside.qcow2' }] })),
    ],
    [
      'with a disk that holds changes only',
      'SOURCE_INVALID',
      /changes to another one/,
      () => written(ovfText({ disks: [{ ...DISK, diskAttributes: 'ovf:parentRef="vmdisk9"' }] })),
    ],
    [
      'with entities of its own',
      'SOURCE_INVALID',
      /document type/,
      () =>
        written(
          ovfText({ disks: [DISK] }).replace(
            '<Envelope',
            '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Envelope',
          ),
        ),
    ],
    ['whose descriptor is no XML', 'SOURCE_INVALID', /is no XML/, () => written('<Envelope><a></Envelope>')],
    ['whose descriptor is empty of VMs', 'SOURCE_INVALID', /describes no VM/, () => written('<Envelope/>')],
    ['without disks', 'SOURCE_INVALID', /without disks/, () => written(ovfText({ disks: [] }))],
    [
      'with several VMs',
      'SOURCE_INVALID',
      /several VMs/,
      () => written('<Envelope><VirtualSystem/><VirtualSystem/></Envelope>'),
    ],
    [
      'whose disk is no VMDK',
      'SOURCE_INVALID',
      /unpack the OVA/,
      async () => {
        await convert(raw, 'qcow2', path.join(folder, 'q.qcow2'));
        return packed(await writeOvf(folder, 'w', { disks: [{ ...DISK, file: 'q.qcow2' }] }, undefined));
      },
    ],
    [
      'of another content than its checksum',
      'SOURCE_CHECKSUM',
      /sha1:0{40}/,
      async () =>
        ova((await packed(await writeOvf(folder, 'w', { disks: [DISK] }, undefined))).path, `sha1:${'0'.repeat(40)}`),
    ],
    ['outside of the allowed folders', 'PATH_DENIED', /outside/, async () => ova('/etc/x.ova')],
  ];
  test.each(cases)('%s', async (_, code, says, make) => {
    const error = await refusal(bench, await make());
    expect(error.message).toMatch(says);
    expect(error.code).toBe(code);
  });
});
