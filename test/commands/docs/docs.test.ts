/**
 * Every command of README and docs is run by a real shell, as it stands there, against real services. What cannot be run is in
 * elsewhere.ts, with what runs it.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ELSEWHERE, OUTCOMES } from './elsewhere.js';
import { ROOT } from './lines.js';
import { testCommands } from './run.js';
import { fits, GUIDES, LINES, RUN } from './todo.js';

testCommands(GUIDES);

describe('what is run elsewhere', () => {
  it.each(ELSEWHERE)('$command: $runBy', (entry) => {
    expect(LINES.some((line) => fits(entry, line))).toBe(true);
    expect(existsSync(path.join(ROOT, entry.runBy))).toBe(true);
  });
  it.each(OUTCOMES)('$command ends with $exit: $why', (entry) => {
    expect(RUN.some((line) => fits(entry, line))).toBe(true);
  });
});
