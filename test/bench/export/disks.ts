/** Disks to measure with: the same mix in each, other bytes in each. */
import { randomFillSync } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';

const MIB = 2 ** 20;
/** The disk is three times as large as what is in it. */
const CAPACITY_FACTOR = 3;
const STRETCHES = 16;
/** Of each stretch's data, in quarters. */
const RANDOM_QUARTERS = 1;
/** With so many different ones text deflates to about a third, as logs and sources do. */
const WORDS = 512;

export const MIX =
  '1/4 random bytes, 3/4 text (words in lines), in 16 stretches over a disk three times as large; the rest are holes';

export interface BenchDisk {
  raw: string;
  vmdk: string;
  capacityBytes: number;
  allocatedBytes: number;
  streamBytes: number;
}

/** @param mib allocated, a multiple of 64 */
export async function makeBenchDisk(folder: string, name: string, mib: number): Promise<BenchDisk> {
  const [raw, vmdk] = [path.join(folder, `${name}.raw`), path.join(folder, `${name}.vmdk`)];
  const capacityBytes = CAPACITY_FACTOR * mib * MIB;
  const text = prose();
  const noise = Buffer.alloc(MIB);
  const file = await open(raw, 'w');
  try {
    await file.truncate(capacityBytes);
    const pieces = mib / STRETCHES;
    for (let stretch = 0; stretch < STRETCHES; stretch++)
      for (let piece = 0; piece < pieces; piece++) {
        const random = piece < (pieces * RANDOM_QUARTERS) / 4;
        const from = ((stretch * pieces + piece) * 7 * MIB) % (text.length - MIB);
        const content = random ? randomFillSync(noise) : text.subarray(from, from + MIB);
        await file.write(content, 0, MIB, (stretch * capacityBytes) / STRETCHES + piece * MIB);
      }
  } finally {
    await file.close();
  }
  await execa('qemu-img', ['convert', '-f', 'raw', '-O', 'vmdk', '-o', 'subformat=streamOptimized', raw, vmdk]);
  return { raw, vmdk, capacityBytes, allocatedBytes: mib * MIB, streamBytes: (await stat(vmdk)).size };
}

/** 32 MiB of lines of random words. */
function prose(): Buffer {
  const random = randomFillSync(new Uint32Array(8 * MIB));
  const words = Array.from({ length: WORDS }, (_, index) => {
    const length = 3 + ((random[index] ?? 0) % 8);
    return Array.from({ length }, (__, at) =>
      String.fromCharCode(97 + (((random[index * 8 + at] ?? 0) >>> 7) % 26)),
    ).join('');
  });
  const out = Buffer.alloc(32 * MIB, '\n');
  let at = 0;
  for (let index = 0; at < out.length - 16; index = (index + 1) % random.length) {
    const draw = random[index] ?? 0;
    // Common words are common: squared, so that the low ones come more often.
    const rank = Math.floor(((draw % WORDS) * ((draw >>> 12) % WORDS)) / WORDS);
    at += out.write(words[rank] ?? '', at, 'latin1');
    at += out.write(draw >>> 28 === 0 ? '\n' : ' ', at, 'latin1');
  }
  return out;
}
