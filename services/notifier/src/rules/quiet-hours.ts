import { z } from 'zod';
import { FactName } from './rule.js';

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const MINUTE_MS = 60_000;
/** By then they have ended, whatever the days: seven nights, and a change of the clock. */
const LONGEST_MS = 9 * 24 * 60 * MINUTE_MS;

const Clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time such as 22:00');
const End = z.union([Clock, z.literal('24:00')], 'a time such as 07:00, at most 24:00');
const Zone = z.string().refine(isZone, 'a time zone such as Europe/Berlin (IANA)');

/** When people are left in peace. Where `to` is not later than `from`, they end on the next day. */
export const QuietHours = z
  .strictObject({
    from: Clock,
    to: End,
    timezone: Zone,
    /** On which they begin. Default: every day */
    days: z.array(z.enum(DAYS)).min(1, 'at least one, or leave the key out').optional(),
    /** Facts that are told all the same. */
    but_not: z.array(FactName).default([]),
  })
  .superRefine((quiet, context) => {
    if (quiet.from === quiet.to)
      context.addIssue({ code: 'custom', path: ['to'], message: 'the same as from: for a whole day, 00:00 to 24:00' });
    if (quiet.from === '00:00' && quiet.to === '24:00' && new Set(quiet.days ?? DAYS).size === DAYS.length)
      context.addIssue({ code: 'custom', path: ['days'], message: 'these quiet hours would never end' });
  });
export type QuietHours = z.infer<typeof QuietHours>;

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name }).format();
    return true;
  } catch {
    return false;
  }
}

const minutes = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3));

/** Tells when the quiet hours that are now end. */
export class QuietClock {
  readonly #format: Intl.DateTimeFormat;
  readonly #from: number;
  readonly #to: number;
  readonly #days: ReadonlySet<string>;
  #last: { readonly from: number; readonly until: number } | undefined;

  constructor(readonly hours: QuietHours) {
    this.#format = new Intl.DateTimeFormat('en-GB', {
      timeZone: hours.timezone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    this.#from = minutes(hours.from);
    this.#to = minutes(hours.to);
    this.#days = new Set(hours.days ?? DAYS);
  }

  /** Undefined where it is not quiet. @param now milliseconds */
  until(now: number): number | undefined {
    if (!this.#isQuiet(now)) return undefined;
    if (this.#last !== undefined && now >= this.#last.from && now < this.#last.until) return this.#last.until;
    // By what the zone's clock shows, minute by minute: an hour may be missing, or come twice.
    const from = Math.floor(now / MINUTE_MS) * MINUTE_MS;
    let until = from + MINUTE_MS;
    while (this.#isQuiet(until) && until - from < LONGEST_MS) until += MINUTE_MS;
    this.#last = { from, until };
    return until;
  }

  #isQuiet(at: number): boolean {
    const { day, minute } = this.#local(at);
    const begins = this.#days.has(DAYS[day] ?? '');
    if (this.#to > this.#from) return begins && minute >= this.#from && minute < this.#to;
    const yesterday = this.#days.has(DAYS[(day + 6) % 7] ?? '');
    return (begins && minute >= this.#from) || (yesterday && minute < this.#to);
  }

  #local(at: number): { day: number; minute: number } {
    const parts = new Map(this.#format.formatToParts(at).map(({ type, value }) => [type, value]));
    const day = DAYS.findIndex((name) => name === parts.get('weekday')?.toLowerCase());
    return { day, minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')) };
  }
}

/** `22:00-07:00 Europe/Berlin` */
export const shownHours = ({ from, to, timezone, days }: QuietHours): string =>
  [...(days === undefined ? [] : [days.join(',')]), `${from}-${to}`, timezone].join(' ');
