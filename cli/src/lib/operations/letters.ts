import type { DeadLetter, DeadLetterDetail } from '@hyper2kvm/contracts';
import { CliError, UsageError } from '../errors.js';
import { plural, printable } from '../format.js';
import { askYes } from '../prompt.js';
import { table } from '../table.js';
import { stringWidth } from '../width.js';
import { labelled, wrap } from '../wrap.js';
import { timeCell } from './time-cell.js';

const LABEL = 9;

/** Where a line is too narrow for all of it, the reason stands on lines of its own: it is what one looks for. */
export function letterTable(letters: readonly DeadLetter[], columns?: number): string[] {
  const heads = ['ID', 'TIME', 'WHAT', 'ABOUT', 'FROM', 'REASON'];
  const rows = letters.map((letter) => [
    letter.id,
    timeCell(letter.time, columns),
    printable(kindOf(letter)),
    printable(letter.about ?? ''),
    printable(letter.source),
    printable(letter.reason),
  ]);
  const whole = table(heads, rows);
  if (columns === undefined || whole.every((line) => stringWidth(line) <= columns)) return whole;
  const [head = '', ...lines] = table(
    heads.slice(0, -1),
    rows.map((row) => row.slice(0, -1)),
    columns,
  );
  return [head, ...lines.flatMap((line, index) => [line, ...wrap(`    ${rows[index]?.at(-1) ?? ''}`, columns, 4)])];
}

/** `export.requested`; of a message without a type, where it came from. */
const kindOf = ({ type, subject }: DeadLetter): string => type?.replace(/\.v\d+$/, '') ?? subject;

/** One of them, with its headers and body: these may be long, and are not cut. */
export function letterLines(letter: DeadLetterDetail, columns?: number): string[] {
  const row = (label: string, value: string): string => labelled(label, value, LABEL, columns);
  return [
    row('ID', letter.id),
    row('Time', letter.time),
    row('Subject', printable(letter.subject)),
    ...(letter.type === null ? [] : [row('Type', printable(letter.type))]),
    ...(letter.about === null ? [] : [row('About', printable(letter.about))]),
    row('From', printable(letter.source)),
    row('Reason', printable(letter.reason)),
    row('Bytes', String(letter.bytes)),
    '',
    'Headers:',
    ...Object.entries(letter.headers).map(([name, value]) => `  ${printable(name)}: ${printable(value)}`),
    '',
    'Body:',
    ...bodyOf(letter.data),
    '',
    `Have it handled again: hyperctl dead-letters resend ${letter.id}`,
    `Delete it:             hyperctl dead-letters discard ${letter.id}`,
  ];
}

function bodyOf(data: unknown): string[] {
  if (data === null) return ['  (too large to be kept)'];
  const text = typeof data === 'string' ? data : JSON.stringify(data, undefined, 2);
  return text.split('\n').map((line) => `  ${printable(line)}`);
}

/**
 * Asks before something happens to many, or cannot be undone. Where nobody can be asked, `needed` says whether --yes has to be
 * given.
 * @throws UsageError where nobody can be asked; CliError when the answer was no
 */
export async function confirm(question: string, { yes, needed }: { yes: boolean; needed: boolean }): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    if (needed) throw new UsageError('nobody can be asked whether that is meant', 'add --yes');
    return;
  }
  if (!(await askYes(`${question} [y/N] `))) throw new CliError('nothing was done');
}

/** What became of some dead letters. */
export interface Outcome {
  readonly done: readonly { readonly id: string; readonly message: string }[];
  readonly refused: readonly { readonly id: string; readonly code: string; readonly message: string }[];
}

/**
 * Does something with one after the other; what the gateway refuses does not keep it from the rest.
 * @throws what is no refusal of one of them: then the rest is left as it is
 */
export async function withEach(ids: readonly string[], work: (id: string) => Promise<string>): Promise<Outcome> {
  const done: { id: string; message: string }[] = [];
  const refused: { id: string; code: string; message: string }[] = [];
  for (const id of ids) {
    try {
      done.push({ id, message: await work(id) });
    } catch (error) {
      if (!(error instanceof CliError) || !OF_ONE.has(error.code)) throw error;
      refused.push({ id, code: error.code, message: error.why ?? error.message });
    }
  }
  return { done, refused };
}

/** Refusals that speak of one letter, not of the caller or the gateway. */
const OF_ONE = new Set(['NOT_FOUND', 'STATE_CONFLICT', 'VM_BUSY']);

export const letters = (count: number): string => plural(count, 'dead letter');

/** @throws UsageError where it is none */
export function letterId(text: string | undefined): string {
  if (text === undefined || text === '') throw new UsageError('which dead letter?', 'hyperctl dead-letters lists them');
  if (!/^\d{1,16}$/.test(text))
    throw new UsageError(`${printable(text)} is no id of a dead letter`, 'a number; hyperctl dead-letters lists them');
  return text;
}
