import { createHash } from 'node:crypto';
import { SEGMENT_BYTES } from '@hyper2kvm/contracts';
import { firstDifference } from '@hyper2kvm/runtime/content';

type Segments = readonly (string | null)[];

/**
 * Number of the first segment that differs, from 1. Zeros are zeros, stored or not: a copy to another file system turns one
 * into the other.
 */
export function firstChange(recorded: Segments, found: Segments, capacityBytes: number): number | undefined {
  const plain = firstDifference(recorded, found);
  if (plain === undefined) return undefined;
  const zeros = new Set([zerosOf(SEGMENT_BYTES), zerosOf(capacityBytes % SEGMENT_BYTES)]);
  const asHoles = (all: Segments): Segments => all.map((hash) => (hash !== null && zeros.has(hash) ? null : hash));
  return firstDifference(asHoles(recorded), asHoles(found));
}

function zerosOf(length: number): string {
  const block = Buffer.alloc(1024 * 1024);
  const hash = createHash('sha256');
  for (let left = length; left > 0; left -= block.length) hash.update(block.subarray(0, Math.min(left, block.length)));
  return hash.digest('hex');
}
