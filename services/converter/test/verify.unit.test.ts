import { createHash } from 'node:crypto';
import { SEGMENT_BYTES } from '@hyper2kvm/contracts';
import { expect, test } from 'vitest';
import { firstChange } from '../src/verify/compare.js';

const hash = (bytes: number): string => createHash('sha256').update(Buffer.alloc(bytes)).digest('hex');
const other = createHash('sha256').update('other').digest('hex');
/** Two segments and one byte. */
const CAPACITY = 2 * SEGMENT_BYTES + 1;

test('zeros that are stored are a hole, in whole segments and in the last one', () => {
  const stored = [hash(SEGMENT_BYTES), hash(SEGMENT_BYTES), hash(1)];
  expect(firstChange([null, null, null], stored, CAPACITY)).toBeUndefined();
  expect(firstChange(stored, [null, null, null], CAPACITY)).toBeUndefined();
});

test('anything else that differs is named by its number, from 1, also when segments are missing', () => {
  expect(firstChange([null, other, null], [hash(SEGMENT_BYTES), null, null], CAPACITY)).toBe(2);
  expect(firstChange([other, null, null], [other, null, other], CAPACITY)).toBe(3);
  expect(firstChange([other, null, other], [other, null], CAPACITY)).toBe(3);
});
