import { describe, expect, it } from 'vitest';
import { didYouMean, nearNames } from '../src/sources/vsphere/near-names.js';

const NAMES = ['production-db', 'production-db-2', 'Web-Server-01', 'web-server-02', 'mail', 'ad'];

describe('names near to one that is not there', () => {
  it.each([
    ['productoin-db', ['production-db', 'production-db-2']],
    ['PRODUCTION-DB', ['production-db', 'production-db-2']],
    ['web-server-1', ['Web-Server-01', 'web-server-02']],
    ['server', ['Web-Server-01', 'web-server-02']],
    ['mail.example.com', ['mail']],
    ['mai', ['mail']],
    ['ax', ['ad']],
    ['oracle', []],
    ['x', []],
    ['', []],
  ])('%s: %j', (asked, near) => expect(nearNames(asked, NAMES)).toEqual(near));

  it('a letter that is wrong is nearer than a part of a long name', () => {
    expect(nearNames('web', ['web-server-01', 'wab'])).toEqual(['wab', 'web-server-01']);
  });

  it('are three at most, each once', () => {
    const many = Array.from({ length: 50 }, (_, index) => `web-${String(index % 25).padStart(2, '0')}`);
    expect(nearNames('web-0', many)).toEqual(['web-00', 'web-01', 'web-02']);
  });
});

it('are told as a question', () => {
  expect(didYouMean([])).toBe('');
  expect(didYouMean(['a'])).toBe('; did you mean "a"?');
  expect(didYouMean(['a', 'b', 'c'])).toBe('; did you mean "a", "b" or "c"?');
});
