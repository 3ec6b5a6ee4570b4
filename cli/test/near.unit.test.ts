import { describe, expect, it } from 'vitest';
import { didYouMean, nearest } from '../src/lib/near.js';

describe('the nearest words', () => {
  it.each([
    ['covert', ['convert', 'export', 'import'], ['convert']],
    ['hihg', ['high', 'normal', 'low'], ['high']],
    ['HIGH', ['high', 'low'], ['high']],
    ['conv', ['convert', 'config'], ['convert']],
    ['foo', ['job', 'vm'], []],
    ['x', ['y', 'vm'], []],
    ['', ['vm'], []],
    // Of the same distance all, of a larger one none that is much farther.
    ['web-3', ['web-1', 'web-2', 'web-server'], ['web-1', 'web-2']],
    ['web-0', ['web-5', 'web-4', 'web-3', 'web-2'], ['web-2', 'web-3', 'web-4']],
  ])('%s of %j: %j', (word, candidates, near) => expect(nearest(word, candidates)).toEqual(near));
});

it('are asked for', () => {
  expect(didYouMean([])).toBe('');
  expect(didYouMean(['a', 'b'])).toBe('; did you mean "a" or "b"?');
});
