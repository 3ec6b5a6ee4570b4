/** The list of commands that are not run with the others holds nothing that is not there. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { ELSEWHERE, ENDLESS, OUTCOMES } from './elsewhere.js';
import { ROOT } from './lines.js';
import { fits, LINES, RUN } from './todo.js';

it.each(ELSEWHERE)('$command is in the docs, and run by $runBy', (entry) => {
  expect(LINES.some((line) => fits(entry, line))).toBe(true);
  expect(existsSync(path.join(ROOT, entry.runBy))).toBe(true);
});

it.each([...OUTCOMES, ...ENDLESS.map((command) => ({ command }))])('$command is in the docs', (entry) => {
  expect(RUN.some((line) => fits(entry, line))).toBe(true);
});
