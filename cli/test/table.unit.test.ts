import { describe, expect, it } from 'vitest';
import { table } from '../src/lib/table.js';
import { stringWidth } from '../src/lib/width.js';

const HEADS = ['JOB', 'VM', 'STATUS', 'ERROR'];
const ROWS = [
  ['job-7k2m9x4qa3hd', 'a-very-long-name-of-a-virtual-machine-in-berlin', 'failed', 'no space left in /srv/out'],
  ['job-8k2m9x4qa3hd', '数据库', 'completed', ''],
];

describe('a table', () => {
  it('has its natural width where nobody limits it', () => {
    const lines = table(HEADS, ROWS);
    expect(lines[1]).toBe(ROWS[0]?.join('  ').replace('failed  ', 'failed     '));
    expect(lines[0]).toMatch(/^JOB {15}VM {47}STATUS {5}ERROR$/);
  });

  it.each([40, 60, 80])('fits into %i columns; wide columns give way, ids stay whole', (columns) => {
    const lines = table(HEADS, ROWS, columns);
    for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
    expect(lines[1]).toMatch(/^job-7k2m9x4qa3hd  a-very-long-name-/);
    if (columns >= 60) expect(lines[1]).toMatch(/…  failed +no/);
  });
});
