import { readFileSync } from 'node:fs';
import { JOB_TRIGGERS, STREAM_NAMES, TRANSITIONS } from '@hyper2kvm/contracts';
import { describe, expect, it } from 'vitest';

/** Cells of all table rows of a page, with code marks taken off. */
function rows(page: string): string[][] {
  const text = readFileSync(new URL(`../../../${page}`, import.meta.url), 'utf8');
  return text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .slice(1, line.lastIndexOf('|'))
        .split('|')
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
}

describe('the docs say what the contracts say', () => {
  it('ARCHITECTURE.md has the table of states, row for row', () => {
    const triggers: readonly string[] = JOB_TRIGGERS;
    const written = rows('ARCHITECTURE.md').filter(([, on = '']) => triggers.includes(on));
    expect(written).toEqual(TRANSITIONS.map(({ from, on, to }) => [from.join(', '), on, to]));
  });

  it('ARCHITECTURE.md names every stream', () => {
    const names = new Set(rows('ARCHITECTURE.md').flatMap(([first = '']) => first.split(', ')));
    expect(STREAM_NAMES.filter((name) => !names.has(name))).toEqual([]);
  });
});
