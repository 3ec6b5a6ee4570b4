import { IANAZone } from 'luxon';
import type { Span, Weekday, Window } from './window.js';
import { dateIn, firstInstant } from './wall-clock.js';

/** Days to look ahead: where a clock that is put forward swallows this week's opening, the next one is two weeks ahead. */
const AHEAD = 15;

/** An interval of instants, in ms; the end is not part of it. */
export interface Opening {
  readonly opens: number;
  readonly closes: number;
  readonly zone: string;
}

/** The opening that holds the instant, or the next one. */
export function openingAt(window: Window, at: number): Opening {
  const all = window.spans.flatMap((span) => openings(span, at)).filter(({ closes }) => closes > at);
  const [first, ...others] = all.toSorted((one, other) => one.opens - other.opens);
  // Every span has a day, and every day comes back.
  if (first === undefined) throw new Error(`the window ${window.text} never opens`);
  // Sat and Sun from 00:00 to 24:00 are one opening.
  return others.reduce((whole, next) => (next.opens > whole.closes ? whole : joined(whole, next)), first);
}

const joined = (one: Opening, other: Opening): Opening => ({ ...one, closes: Math.max(one.closes, other.closes) });

function openings({ days, from, to, zone: name }: Span, at: number): Opening[] {
  const zone = IANAZone.create(name);
  const today = dateIn(zone, at);
  return Array.from({ length: AHEAD + 2 }, (_, n) => today - 1 + n)
    .filter((date) => days.has(weekdayOf(date)))
    .map((date) => ({
      opens: firstInstant(zone, date, from),
      closes: firstInstant(zone, to > from ? date : date + 1, to),
      zone: name,
    }))
    .filter(({ opens, closes }) => closes > opens);
}

/** 1970-01-01 was a Thursday. */
const weekdayOf = (date: number): Weekday => (((((date + 3) % 7) + 7) % 7) + 1) as Weekday;
