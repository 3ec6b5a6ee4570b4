import { describe, expect, it } from 'vitest';
import { storable } from '../src/database/storable.js';
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

describe('what is kept of what a worker told', () => {
  it('is all of it, but for what the database cannot hold', () => {
    const told = { text: 'a\0b \ud83d', whole: '💥', list: ['\udca5', 1, null, true], 'a\0': { b: undefined } };
    const kept = { text: 'a\uFFFDb \uFFFD', whole: '💥', list: ['\uFFFD', 1, null, true], 'a\uFFFD': { b: undefined } };
    expect(storable(told)).toStrictEqual(kept);
  });
});
