/** Paths that must not be read, and files that change while they are read. */
import { copyFile, link, rename, symlink, truncate, utimes, writeFile, mkdir } from 'node:fs/promises';
import path from 'node:path';

import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
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

describe('a path', () => {
  const cases: Refused[] = [
    ['outside of the allowed folders', 'PATH_DENIED', /outside of the allowed folders/, async () => disks(outside)],
    [
      'that leads out by ..',
      'PATH_DENIED',
      /outside of the allowed folders/,
      async () => disks(`${bench.images}/../outside.qcow2`),
    ],
    [
      'outside that does not exist, of which no more is told',
      'PATH_DENIED',
      /outside of the allowed folders/,
      async () => disks('/etc/no-such-file.raw'),
    ],
    [
      'that is a symbolic link out of them',
      'PATH_DENIED',
      /outside of the allowed folders/,
      async () => {
        const file = fresh('link.qcow2');
        await symlink(outside, file);
        return disks(file);
      },
    ],
    [
      'through a folder that leads out',
      'PATH_DENIED',
      /outside of the allowed folders/,
      async () => {
        const place = fresh('folder');
        await symlink(bench.root, place);
        return disks(path.join(place, 'outside.qcow2'));
      },
    ],
    ['of nothing', 'SOURCE_INVALID', /does not exist/, async () => disks(fresh('nothing.raw'))],
    [
      'of a folder',
      'SOURCE_INVALID',
      /is a directory/,
      async () => {
        const place = fresh('folder');
        await mkdir(place);
        return disks(place);
      },
    ],
    [
      'of an empty file',
      'SOURCE_INVALID',
      /is empty/,
      async () => {
        const file = fresh('empty.raw');
        await writeFile(file, '');
        return disks(file);
      },
    ],
    [
      'of a FIFO',
      'SOURCE_INVALID',
      /no regular file/,
      async () => {
        const file = fresh('pipe.raw');
        await execa('mkfifo', [file]);
        return disks(file);
      },
    ],
    ['given twice', 'SOURCE_INVALID', /is given as two disks/, async () => disks(raw, raw)],
    [
      'given twice by two names',
      'SOURCE_INVALID',
      /is given as two disks/,
      async () => {
        const other = fresh('same.raw');
        await link(raw, other);
        return disks(raw, other);
      },
    ],
  ];
  test.each(cases)('%s', async (_, code, says, make) => {
    const error = await refusal(bench, await make());
    expect(error.message).toMatch(says);
    expect(error.code).toBe(code);
  });

  test('of a device', async () => {
    const error = await refusal(bench, disks({ path: '/dev/zero', format: 'raw' }), { roots: ['/dev'] });
    expect(error).toMatchObject({ code: 'SOURCE_INVALID', message: expect.stringContaining('no regular file') });
  });

  test('with no folder allowed', async () => {
    const error = await refusal(bench, disks(raw), { roots: [] });
    expect(error).toMatchObject({ code: 'PATH_DENIED', message: expect.stringContaining('none is configured') });
  });
});

describe('a file that changes while it is exported', () => {
  const changes: [string, (file: string) => Promise<unknown>][] = [
    ['written to', (file) => poke(file, MIB * 4, Buffer.from('changed'))],
    ['with another time', (file) => utimes(file, 1, 1)],
    [
      'replaced by its like',
      async (file) => {
        await copyFile(file, `${file}.new`);
        await rename(`${file}.new`, file);
      },
    ],
  ];
  test.each(changes)('%s', async (_, alter) => {
    const file = await convert(raw, 'qcow2', fresh('changing.qcow2'));
    const error = await refusal(bench, disks(file), { duringDisk: () => alter(file).then(() => {}) });
    expect(error).toMatchObject({ code: 'SOURCE_CHANGED', message: expect.stringContaining('changing.qcow2 changed') });
  });

  test('an extent beside its descriptor', async () => {
    const file = await convert(raw, 'vmdk', fresh('parts.vmdk'), 'subformat=monolithicFlat');
    const extent = file.replace('.vmdk', '-flat.vmdk');
    const error = await refusal(bench, disks(file), {
      duringDisk: () => poke(extent, 0, Buffer.from('x')).then(() => {}),
    });
    expect(error).toMatchObject({ code: 'SOURCE_CHANGED', message: expect.stringContaining('-flat.vmdk changed') });
  });

  test('a stream that becomes shorter', async () => {
    const file = fresh('shorter.vmdk');
    await copyFile(stream, file);
    const error = await refusal(bench, disks(file), { duringDisk: () => truncate(file, 70_000) });
    expect(error.code).toBe('SOURCE_CHANGED');
  });
});
