import { describe, expect, it } from 'vitest';
import { sealedIn } from '../src/vcenters/rotation/sealed.js';

const ONE = 'v1.abcdefgh.bm9uY2U.b25l';
const TWO = 'v1.ijklmnop.bm9uY2U.dHdv';

describe('sealed secrets of a value', () => {
  it('are found by the names of their fields, at any depth', () => {
    const value = {
      source: { password_sealed: ONE, server: ONE },
      list: [{ n: 1 }, { luks_keys_sealed: TWO }],
      a: null,
    };
    expect(sealedIn(value)).toEqual([
      { path: ['source', 'password_sealed'], sealed: ONE },
      { path: ['list', '1', 'luks_keys_sealed'], sealed: TWO },
    ]);
  });

  it('may be the value itself', () => {
    expect(sealedIn(ONE)).toEqual([{ path: [], sealed: ONE }]);
    expect(sealedIn('plain')).toEqual([]);
    expect(sealedIn({ password_sealed: 'not a sealed one' })).toEqual([]);
    expect(sealedIn(undefined)).toEqual([]);
  });
});
