import { open, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeTo, qemuCheck, qemuCompare, run, withFolder } from './image-fixture.js';
import { GRAIN, footerLast, noise, text, type StreamOptions } from './vmdk-fixture.js';

const CASES: Record<string, StreamOptions> = {
  'text and noise': {
    capacity: 300 * GRAIN,
    grains: [0, 1, 5, 6, 299].map((at) => ({ at, content: at % 2 === 0 ? text(at) : noise(GRAIN, at) })),
  },
  'grains of zeros': {
    capacity: 200 * GRAIN,
    grains: [0, 1, 2, 150].map((at) => ({ at, content: at % 2 === 0 && at > 0 ? Buffer.alloc(GRAIN) : text(at) })),
  },
  'a short last grain': {
    capacity: 10 * GRAIN + 512 * 7,
    grains: [
      { at: 0, content: text(1) },
      { at: 10, content: text(2, 512 * 7) },
    ],
  },
  'a whole last grain over a short end': {
    capacity: 10 * GRAIN + 512,
    grains: [{ at: 10, content: Buffer.concat([text(2, 512), Buffer.alloc(GRAIN - 512)]) }],
  },
  'stored, not deflated': {
    capacity: 40 * GRAIN,
    grains: [1, 2, 3].map((at) => ({ at, content: noise(GRAIN, at), level: 0 })),
  },
  'no grains at all': { capacity: 100 * GRAIN, grains: [] },
  'many tiny grains': {
    capacity: 3000 * GRAIN,
    grains: Array.from({ length: 2500 }, (_, at) => ({ at, content: Buffer.alloc(GRAIN, (at % 255) + 1) })),
  },
  'several L2 tables and 2 TiB': {
    capacity: 2 ** 41 + 512,
    grains: [0, 8191, 8192, 2 ** 24 + 5, 2 ** 25 - 1].map((at) => ({ at, content: text(at) })),
  },
};

async function writeRaw(file: string, { capacity, grains }: StreamOptions): Promise<void> {
  const handle = await open(file, 'w');
  try {
    await handle.truncate(capacity);
    for (const { at, content } of grains) {
      const visible = Math.min(content.length, capacity - at * GRAIN);
      await handle.write(content, 0, visible, at * GRAIN);
    }
  } finally {
    await handle.close();
  }
}

/** Where the last grain's marker begins: the last sector whose head names a place in the disk and a length. */
function lastGrain(stream: Buffer): number {
  const capacity = stream.readBigUInt64LE(12);
  let at = Number(stream.readBigUInt64LE(64)) * 512;
  for (;;) {
    const next = at + Math.ceil((12 + stream.readUInt32LE(at + 8)) / 512) * 512;
    if (next + 12 > stream.length || stream.readUInt32LE(next + 8) === 0) return at;
    if (stream.readBigUInt64LE(next) >= capacity) throw new Error('not a grain');
    at = next;
  }
}

describe('a stream with its footer last, as ESXi sends it', () => {
  test.each(Object.keys(CASES))('%s', async (name) => {
    const options = CASES[name];
    if (options === undefined) throw new Error(name);
    await withFolder(async (folder) => {
      const [qcow2, raw] = [path.join(folder, 'disk.qcow2'), path.join(folder, 'disk.raw')];
      await decodeTo(qcow2, footerLast(options));
      await qemuCheck(qcow2);
      await writeRaw(raw, options);
      await qemuCompare(qcow2, raw);
      // Cluster 0, L1, refcounts, an L2 table per 512 MiB in use, and the data: zeros take no space.
      const stored = options.grains.filter(({ content }) => content.some((byte) => byte !== 0));
      const tables = new Set(stored.map(({ at }) => Math.floor(at / 8192)));
      expect((await stat(qcow2)).size).toBeLessThanOrEqual((stored.length + tables.size + 4) * GRAIN);
    });
  });

  test.each([1, 100, 513, 65_536, 1_000_000])('in pieces of %i bytes', async (pieceBytes) => {
    const options: StreamOptions = {
      capacity: 9 * GRAIN,
      grains:
        pieceBytes === 1 ? [{ at: 3, content: text(3) }] : [2, 3, 8].map((at) => ({ at, content: noise(GRAIN, at) })),
    };
    await withFolder(async (folder) => {
      const [qcow2, raw] = [path.join(folder, 'disk.qcow2'), path.join(folder, 'disk.raw')];
      await decodeTo(qcow2, footerLast(options), pieceBytes);
      await writeRaw(raw, options);
      await qemuCompare(qcow2, raw);
    });
  });
});

describe('a stream with its directory first, as qemu-img writes it', () => {
  test.each([7 * 2 ** 20, 100 * 2 ** 20 + 512 * 9, 3 * 2 ** 30])('of %i bytes', async (capacity) => {
    await withFolder(async (folder) => {
      const [qcow2, raw, vmdk] = ['disk.qcow2', 'disk.raw', 'disk.vmdk'].map((name) => path.join(folder, name)) as [
        string,
        string,
        string,
      ];
      await writeRaw(raw, {
        capacity,
        grains: [
          { at: 0, content: text(1) },
          { at: 31, content: noise(3 * GRAIN, 2) },
          { at: Math.floor(capacity / GRAIN) - 1, content: text(4) },
        ],
      });
      await run('qemu-img', ['convert', '-f', 'raw', '-O', 'vmdk', '-o', 'subformat=streamOptimized', raw, vmdk]);
      const stream = await readFile(vmdk);
      await decodeTo(qcow2, stream);
      await qemuCheck(qcow2);
      await qemuCompare(qcow2, raw);

      // The same file without its last grain: only the tables at its front can tell.
      const cut = stream.subarray(0, lastGrain(stream));
      await expect(decodeTo(path.join(folder, 'cut.qcow2'), cut)).rejects.toThrow('are not those of grain table');
    });
  });
});

test('an image that was not finished is none to QEMU', async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, 'disk.qcow2');
    const stream = footerLast({
      capacity: 64 * GRAIN,
      grains: [1, 2, 3].map((at) => ({ at, content: noise(GRAIN, at) })),
    });
    await expect(decodeTo(file, stream.subarray(0, stream.length - 512))).rejects.toThrow('end-of-stream');
    await expect(run('qemu-img', ['info', '-f', 'qcow2', file])).rejects.toThrow(/not in qcow2 format/);
  });
});
