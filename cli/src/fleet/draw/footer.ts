import { printable } from '../../lib/format.js';
import type { Action, Model, Tone } from '../model.js';
import { ends, fitting, joined, span, type Line, type Style } from './spans.js';

const TONES: Readonly<Record<Tone, Style>> = { plain: 'yellow', good: 'green', bad: 'red' };

function question(action: Action): string {
  switch (action.kind) {
    case 'cancel':
      return `Cancel ${printable(action.vm)} (${action.jobId})? What its export made is removed.`;
    case 'retry':
      return `Try ${printable(action.vm)} (${action.jobId}) again?`;
    case 'pause':
      return `Pause ${printable(action.worker)}? What it has goes on, it takes nothing new.`;
    case 'resume':
      return `Have ${printable(action.worker)} take work again?`;
  }
}

/** A question, what was typed, what became of an action, or the keys. */
export function footerLine(model: Model, columns: number): Line {
  const { asking, notice, filter } = model;
  if (asking?.kind === 'confirm') {
    const whole = question(asking.action);
    return fitting(columns, [
      [span(`${whole} y/N `, 'bold')],
      [span(`${whole.replace(/\?.*/, '?')} y/N `, 'bold')],
      [span(`${whole.replace(/ \(.*/, '?').replace(/\?.*/, '?')} y/N `, 'bold')],
      // The question of a very long name is cut in the name, not in what is to be pressed.
      [span('y/N: ', 'bold'), span(whole)],
    ]);
  }
  if (asking?.kind === 'filter')
    return fitting(columns, [
      ends([span(`/${filter}`, 'bold'), span('█', 'dim')], [span('Enter keeps it, Esc drops it', 'dim')], columns),
      [span(`/${filter}`, 'bold')],
    ]);
  if (notice !== null) return [span(notice.text, TONES[notice.tone])];
  return keysLine(model, columns);
}

const keys = (pairs: readonly (readonly [string, string])[]): Line =>
  joined(
    pairs.map(([key, what]) => [span(key, 'bold'), span(` ${what}`, 'dim')]),
    '  ',
  );

function keysLine(model: Model, columns: number): Line {
  const changes: [string, string][] = model.readOnly
    ? []
    : model.view === 'workers' && model.open === null
      ? [['p', 'pause/resume']]
      : [
          ['c', 'cancel'],
          ['r', 'retry'],
        ];
  const end: [string, string][] = [
    ['?', 'help'],
    ['q', model.open === null ? 'quit' : 'back'],
  ];
  if (model.open !== null) return fitting(columns, [keys([['↑↓', 'scroll'], ...changes, ...end]), keys(end)]);
  return fitting(columns, [
    keys([['↑↓', 'select'], ['Enter', 'open'], ['Tab', 'view'], ['/', 'filter'], ['s', 'sort'], ...changes, ...end]),
    keys([['Enter', 'open'], ['Tab', 'view'], ['/', 'filter'], ['s', 'sort'], ...changes, ...end]),
    keys([['Enter', 'open'], ['Tab', 'view'], ['/', 'filter'], ...end]),
    keys([['Enter', 'open'], ['Tab', 'view'], ...end]),
    keys([['Tab', 'view'], ...end]),
    keys(end),
  ]);
}

/** What the keys do, for `?`. */
const HELP: readonly (readonly [key: string, what: string])[] = [
  ['↑ ↓ j k', 'select a line (PageUp, PageDown, Home, End: further)'],
  ['Enter, l', 'open the job: phases, disks, log, error; of a batch: its jobs alone'],
  ['1 2 3 4', 'jobs that run, wait, failed, are completed'],
  ['5 6', 'batches, workers'],
  ['Tab, ← →', 'the next view, the one before'],
  ['/', 'show what has a text in it; Esc shows all again'],
  ['s', 'sort by the next column, marked with ↓'],
  ['c', 'cancel the job, after y'],
  ['r', 'try the failed job again, after y'],
  ['p', 'pause the worker, or have it go on, after y'],
  ['Ctrl-L', 'draw the screen anew'],
  ['q, Ctrl-C', 'leave; jobs go on'],
];

export function helpLines(model: Model): Line[] {
  return [
    [span('Keys', 'bold')],
    [],
    ...HELP.filter(([key]) => !model.readOnly || !['c', 'r', 'p'].includes(key)).map(([key, what]): Line => [
      span(key.padEnd(11), 'bold'),
      span(what),
    ]),
    [],
    [span('Any key goes back.', 'dim')],
  ];
}
