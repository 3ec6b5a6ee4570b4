import { describe, expect, it } from 'vitest';
import { stringWidth } from '../src/lib/width.js';
import { labelled, wrap } from '../src/lib/wrap.js';

describe('wrap', () => {
  it('breaks between words, and hangs what follows under the text', () => {
    expect(wrap('Reason: the message could not be understood', 30, 8)).toEqual([
      'Reason: the message could not',
      '        be understood',
    ]);
    expect(wrap('as it is', 30)).toEqual(['as it is']);
  });

  it('breaks a word that is longer than a line, counts wide characters double, and loses nothing', () => {
    for (const text of ['x '.repeat(40), `a ${'b'.repeat(100)} c`, '日本語'.repeat(20), `${'w'.repeat(29)} z`])
      for (const columns of [20, 30, 31]) {
        const lines = wrap(`    ${text}`, columns, 4);
        expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThanOrEqual(columns);
        expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
      }
  });

  it('stands beneath a head that leaves no room', () => {
    expect(wrap('a rather long one:  and a text', 20, 20)).toEqual(['a rather long one:', '  and a text']);
  });

  it('labels a value, on a terminal in its own column', () => {
    expect(labelled('Queue', 'nothing waits', 8)).toBe('Queue:   nothing waits');
    expect(labelled('Queue', 'nothing waits for anybody', 8, 26)).toBe('Queue:   nothing waits for\n         anybody');
  });
});
