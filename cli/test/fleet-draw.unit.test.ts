import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import { beforeAll, describe, expect, it } from 'vitest';
import { draw } from '../src/fleet/index.js';
import { VIEWS, type Model } from '../src/fleet/model.js';
import { reduce } from '../src/fleet/reduce.js';
import { LOOK, NOW, RUNNING } from '../../test/support/fleet-samples.js';
import { empty, fleet } from './fleet-models.js';

beforeAll(() => {
  process.env['TZ'] = 'UTC';
});

const SIZES = [
  { columns: 80, rows: 24 },
  { columns: 120, rows: 40 },
  { columns: 40, rows: 10 },
] as const;
const ESC = '\u001b';

const [database] = RUNNING;
const opened = (change: Partial<Model> = {}): Model =>
  fleet({
    open: {
      jobId: database?.job_id ?? '',
      vm: 'production-db',
      job: database ?? null,
      log: [
        {
          job_id: database?.job_id ?? '',
          time: '2026-01-17T22:10:00Z',
          level: 'info',
          phase: 'export',
          message: 'Disk 1 is there',
        },
        {
          job_id: database?.job_id ?? '',
          time: '2026-01-17T22:11:00Z',
          level: 'warn',
          phase: 'export',
          message: 'disk 2: slow',
        },
      ],
      error: null,
      scroll: 0,
    },
    ...change,
  });

const question = fleet({
  asking: { kind: 'confirm', action: { kind: 'cancel', jobId: 'job-x', vm: 'long'.repeat(40) } },
});
const lost = reduce(
  reduce(fleet(), { type: 'asked' }, NOW),
  { type: 'trouble', message: 'the connection was refused: nothing listens there' },
  NOW + 34_000,
);

/** All that has to fit. */
const MODELS: Readonly<Record<string, Model>> = {
  empty: empty(),
  ...Object.fromEntries(VIEWS.map((view) => [view, fleet({ view })])),
  job: opened(),
  help: fleet({ help: true }),
  filter: fleet({ filter: 'データ', asking: { kind: 'filter' } }),
  question,
  lost,
};

describe('draw', () => {
  it.each(SIZES)('the fleet at $columns × $rows', async (size) => {
    const name = `${size.columns}x${size.rows}`;
    const shown = (model: Model): string => `${draw(model, size, false).join('\n')}\n`;
    await expect(shown(fleet())).toMatchFileSnapshot(`golden/fleet-${name}.txt`);
    await expect(shown(opened())).toMatchFileSnapshot(`golden/fleet-job-${name}.txt`);
  });

  it.each(Object.entries(MODELS))('%s never leaves its terminal, whatever its size', (_, model) => {
    for (const columns of [20, 33, 40, 41, 59, 80, 99, 132, 220])
      for (const rows of [4, 10, 15, 16, 20, 24, 50]) {
        const lines = draw(model, { columns, rows }, false);
        expect(lines.length).toBeLessThanOrEqual(rows);
        for (const line of lines) expect(stringWidth(line), line).toBeLessThanOrEqual(columns);
      }
  });

  it('colours change no letter', () => {
    const size = { columns: 100, rows: 30 };
    for (const model of Object.values(MODELS)) {
      const plain = draw(model, size, false);
      const colours = draw(model, size, true).map((line) => stripVTControlCharacters(line).trimEnd());
      expect(colours).toEqual(plain);
      expect(plain.join('')).not.toContain(ESC);
    }
    expect(draw(fleet(), size, true).join('')).toContain(`${ESC}[7m▸ production-db`);
  });

  it('a name from a guest does not steer the terminal', () => {
    const evil = { ...database, vm_name: `evil${ESC}[2J\u0007\n\u009b` } as never;
    const look = { ...LOOK, pages: { running: { jobs: [evil], more: false } }, details: [evil] };
    const model = reduce(empty(), { type: 'looked', look }, NOW);
    const all = draw(model, { columns: 80, rows: 24 }, false).join('|');
    expect(all).toContain('evil[2J');
    // oxlint-disable-next-line no-control-regex -- these must not be there
    expect(all).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  });

  it('tells what is wrong, also where there is little room', () => {
    const [first] = draw(lost, { columns: 40, rows: 10 }, false);
    expect(first).toMatch(/^No answer for 34s: the connection was r…$/);
    const stopped = { ...LOOK.health, converter_reachable: false } as never;
    const sick = reduce(fleet(), { type: 'looked', look: { health: stopped } }, NOW);
    expect(draw(sick, { columns: 40, rows: 10 }, false)[0]).toBe('✓ exp  ✗ conv down  ✓ db  ✓ NATS');
    // However long the pauses are, it is the question that waits.
    const idle = reduce(fleet(), { type: 'tick' }, NOW + 3_600_000);
    expect(draw(idle, { columns: 80, rows: 24 }, false)[1]).toMatch(/^✓ exporter/);
    const asked = reduce(idle, { type: 'asked' }, NOW + 3_600_000);
    const quiet = reduce(asked, { type: 'tick' }, NOW + 3_620_000);
    expect(draw(quiet, { columns: 80, rows: 24 }, false)[1]).toBe('Waiting for an answer for 20s');
  });

  it('a question keeps its y/N in sight', () => {
    const last = draw(question, { columns: 40, rows: 10 }, false).at(-1);
    expect(last).toMatch(/^y\/N: Cancel long/);
  });
});
