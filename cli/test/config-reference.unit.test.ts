import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { settingsTable } from '../src/lib/config/index.js';
import { parseConfig } from '../src/lib/config/read.js';

const PAGE = readFileSync(new URL('../../docs/hyperctl-configuration.md', import.meta.url), 'utf8');
/** As it is read: alignment is the formatter's. */
const cells = (table: string): string[][] =>
  table
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split('|').map((cell) => cell.trim().replace(/^-+$/, '---')));

it('docs/hyperctl-configuration.md has every key as hyperctl reads it', () => {
  expect(cells(PAGE)).toEqual(cells(settingsTable()));
});

it('its example is a configuration', () => {
  const [, text = ''] = /```yaml\n([^]*?)```/.exec(PAGE) ?? [];
  const { common, contexts } = parseConfig('example', text);
  expect(common.size).toBeGreaterThan(15);
  expect([...contexts.keys()]).toEqual(Object.keys((parse(text) as { contexts: object }).contexts));
});
