import { describe, expect, it } from 'vitest';
import { leaksIn } from './forms.js';

const SECRET = 'a s+cret/w?rd&~ü';
const secrets = new Map([['it', SECRET]]);
const found = (text: string): string[] => leaksIn(text, secrets).map((leak) => leak.split(':')[0] ?? '');

describe('a secret is recognised', () => {
  // However many bytes stand before and behind it, as in the base64 of `user:password`.
  const around = [0, 1, 2, 3, 4].flatMap((before) => [0, 1, 2].map((behind) => ({ before, behind })));
  it.each(around)('in base64 with $before bytes before it and $behind behind', ({ before, behind }) => {
    const bytes = Buffer.concat([Buffer.alloc(before, 0xfb), Buffer.from(SECRET), Buffer.alloc(behind, 0xff)]);
    expect(found(`x ${bytes.toString('base64')} y`)).toContain(`it base64 +${before % 3}`);
    expect(found(`x${bytes.toString('base64url')}y`)).toContain(`it base64url +${before % 3}`);
  });

  it('in URLs, forms, XML, JSON and as it is', () => {
    expect(found(`https://a?b=${encodeURIComponent(SECRET)}`)).toContain('it URL-encoded');
    expect(found(new URLSearchParams({ c: SECRET, d: 'e' }).toString())).toContain('it form-encoded');
    expect(found(`<password>${SECRET.replaceAll('&', '&amp;')}</password>`)).toContain('it XML');
    expect(found(JSON.stringify({ p: SECRET }))).toContain('it plain');
    expect(found(`0x${Buffer.from(`..${SECRET}..`).toString('hex')}`)).toContain('it hexadecimal');
  });

  it('and is not shown by what tells of it', () => {
    const [leak = ''] = leaksIn(`user:${SECRET}@host`, secrets);
    expect(leak).toBe('it plain: user:<it>@host');
  });

  it('not in other texts', () => {
    expect(found(Buffer.from('another s+cret/w?rd&~').toString('base64'))).toEqual([]);
  });
});
