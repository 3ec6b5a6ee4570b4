import { JobError } from '@hyper2kvm/contracts';
import { DateTime } from 'luxon';
import type { JobRow } from '../database/index.js';
import { openingAt, type Opening } from './openings.js';
import { parseWindow } from './parse.js';

/** Thousands of jobs share a handful of windows. */
const REMEMBERED = 1000;
/** Until a window that cannot be read (any more) is tried again. */
const UNREADABLE_MS = 60 * 60_000;

export type Schedule =
  | { readonly due: true }
  | {
      readonly due: false;
      /** For the user. */
      readonly reason: string;
      /** The first instant at which the job may start. */
      readonly opensAt: Date;
    };

/** Whether a job may start now, as far as its own times go. */
export function scheduleOf({ notBefore, options }: Pick<JobRow, 'notBefore' | 'options'>, now: Date): Schedule {
  const early = notBefore !== null && notBefore > now;
  const from = early ? notBefore : now;
  if (options.window === undefined)
    return early ? { due: false, reason: `it does not start before ${utc(from)}`, opensAt: from } : { due: true };
  const opening = windowAt(options.window, from.getTime());
  if (opening instanceof JobError)
    return { due: false, reason: opening.message, opensAt: new Date(from.getTime() + UNREADABLE_MS) };
  const opensAt = new Date(Math.max(opening.opens, from.getTime()));
  if (opensAt <= now) return { due: true };
  const reason =
    opening.opens > from.getTime()
      ? `its window opens on ${inZone(opening)} (${options.window})`
      : `it does not start before ${utc(from)}`;
  return { due: false, reason, opensAt };
}

/** The last answer of each window: it holds until the opening ends. */
const answers = new Map<string, { readonly asked: number; readonly answer: Opening | JobError }>();

/** The opening that holds the instant, or the next one; an error where the window cannot be read. */
export function windowAt(text: string, at: number): Opening | JobError {
  const last = answers.get(text);
  if (last !== undefined && (last.answer instanceof JobError || (last.asked <= at && at < last.answer.closes)))
    return last.answer;
  const answer = read(text, at);
  if (answers.size >= REMEMBERED) answers.clear();
  answers.set(text, { asked: at, answer });
  return answer;
}

function read(text: string, at: number): Opening | JobError {
  try {
    return openingAt(parseWindow(text), at);
  } catch (error) {
    if (error instanceof JobError) return error;
    throw error;
  }
}

/** `2026-01-17T22:00:00Z` */
const utc = (at: Date): string => at.toISOString().replace('.000Z', 'Z');

/** `Sat 2026-01-17 22:00 Europe/Berlin` */
const inZone = ({ opens, zone }: Opening): string =>
  `${DateTime.fromMillis(opens, { zone, locale: 'en' }).toFormat('ccc yyyy-MM-dd HH:mm')} ${zone}`;
