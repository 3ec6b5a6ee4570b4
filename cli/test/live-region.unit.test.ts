import { describe, expect, it } from 'vitest';
import { liveRegion } from '../src/lib/live-region.js';
import { asciiMarks, wantsAscii } from '../src/lib/marks.js';

/** A terminal that keeps what is written to it, write by write. */
function terminal(): { stream: NodeJS.WriteStream; writes: string[]; size: [number, number] } {
  const writes: string[] = [];
  const size: [number, number] = [20, 10];
  const stream = {
    isTTY: true,
    getWindowSize: () => size,
    write: (text: string) => writes.push(text),
  } as unknown as NodeJS.WriteStream;
  return { stream, writes, size };
}

describe('the live region', () => {
  it('is drawn in one write a frame, and not at all when nothing changed', () => {
    const { stream, writes } = terminal();
    const region = liveRegion(stream);
    region.draw(['above'], ['one', 'two']);
    region.draw([], ['one', 'two']);
    region.draw([], ['one', 'TWO']);
    region.draw(['more'], ['one', 'TWO']);
    region.close();
    expect(writes).toEqual([
      '\u001b[?25l\r\u001b[Jabove\none\ntwo\n',
      '\r\u001b[1A\u001b[2KTWO\n',
      '\r\u001b[2A\u001b[Jmore\none\nTWO\n',
      '\r\u001b[2A\u001b[J',
      '\u001b[?25h',
    ]);
  });

  it('knows the rows that its lines take in a terminal that became narrower', () => {
    const { stream, writes, size } = terminal();
    const region = liveRegion(stream);
    region.draw([], ['x'.repeat(20), 'y'.repeat(11)]);
    size[0] = 10;
    region.draw([], ['x'.repeat(10)]);
    expect(writes.at(-1)).toBe(`\r\u001b[4A\u001b[J${'x'.repeat(10)}\n`);
    region.close();
  });

  it('stays as it is when it is to be kept, and gives the cursor back', () => {
    const { stream, writes } = terminal();
    const region = liveRegion(stream);
    region.draw([], ['one']);
    region.close('keep');
    expect(writes.slice(1)).toEqual(['\u001b[?25h']);
    expect(process.listenerCount('SIGINT')).toBe(0);
  });
});

describe('marks', () => {
  it.each([
    [{ LANG: 'C' }, true],
    [{ LANG: 'C.UTF-8' }, false],
    [{ LC_ALL: 'C', LANG: 'de_DE.UTF-8' }, true],
    [{ LC_ALL: '', LC_CTYPE: 'de_DE.utf8', LANG: 'C' }, false],
    [{}, false],
    [{ TERM: 'dumb', LANG: 'C.UTF-8' }, true],
    [{ TERM: 'linux', LANG: 'C.UTF-8' }, true],
  ])('of %o: ASCII is %s', (env, ascii) => {
    expect(wantsAscii(env)).toBe(ascii);
  });

  it('have words where there is nothing else; letters of names stay', () => {
    const text = '✅ a ⚠️  b ▶️  c 📥 d 🏠 [██░░] ⠹ Übersee … ╔══╗';
    expect(asciiMarks(text, true)).toBe('[ok] a [!] b [>] c d [##--] - Übersee ~ +==+');
    expect(asciiMarks(text, false)).toBe(text);
  });
});
