import { IANAZone } from 'luxon';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Days since 1970-01-01 of the date that the calendar shows there. */
export const dateIn = (zone: IANAZone, at: number): number => Math.floor((at + zone.offset(at) * MINUTE_MS) / DAY_MS);

/**
 * The first instant at which the clock shows that time of that date, or later where it never does: a clock that is put forward
 * passes over it, one that is put back shows it twice.
 * @param date days since 1970-01-01
 * @param minute of the day; 1440 and more are of the next
 */
export function firstInstant(zone: IANAZone, date: number, minute: number): number {
  const shown = date * DAY_MS + minute * MINUTE_MS;
  // Zones are at most 14 hours from UTC, and put their clocks no more than once within two days.
  const [before, after] = [zone.offset(shown - DAY_MS), zone.offset(shown + DAY_MS)];
  const [early, late] = [shown - before * MINUTE_MS, shown - after * MINUTE_MS];
  if (zone.offset(early) === before) return early;
  if (zone.offset(late) === after) return late;
  return change(zone, late, early);
}

/** When the clock is put, between two instants with different offsets. */
function change(zone: IANAZone, from: number, to: number): number {
  const before = zone.offset(from);
  let [low, high] = [from, to];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (zone.offset(middle) === before) low = middle;
    else high = middle;
  }
  return high;
}
