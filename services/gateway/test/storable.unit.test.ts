import { describe, expect, it } from 'vitest';
import { whyUnstorable } from '../src/http/storable.js';

const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);

describe('what can be kept of a request', () => {
  it.each([undefined, null, 1, 'a\tb 💥 ü\n', { a: [{ b: '\u{1F600}' }] }, nested(32)])('takes %j', (value) =>
    expect(whyUnstorable(value)).toBeUndefined(),
  );
  it.each([
    ['a\0b', /NUL/],
    [{ a: ['x', { b: '\ud83d' }] }, /half of a character/],
    [{ 'a\udca5': 1 }, /name of a field/],
    [nested(33), /more than 32 deep/],
    [nested(100_000), /more than 32 deep/],
  ])('refuses case %#', (value, why) => expect(whyUnstorable(value)).toMatch(why));
});
