import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QuietClock, QuietHours } from '../src/rules/index.js';

const clock = (input: object): QuietClock => new QuietClock(QuietHours.parse({ timezone: 'Europe/Berlin', ...input }));
const until = (input: object, now: string): string | undefined => {
  const end = clock(input).until(Date.parse(now));
  return end === undefined ? undefined : new Date(end).toISOString();
};
const NIGHT = { from: '22:00', to: '07:00' };

describe('quiet hours', () => {
  it.each([
    ['2026-01-17T20:59:59Z', undefined],
    ['2026-01-17T21:00:00Z', '2026-01-18T06:00:00.000Z'],
    ['2026-01-18T03:30:17Z', '2026-01-18T06:00:00.000Z'],
    ['2026-01-18T06:00:00Z', undefined],
    // The clock goes forward at 02:00, and back at 03:00.
    ['2026-03-28T22:00:00Z', '2026-03-29T05:00:00.000Z'],
    ['2026-10-24T21:00:00Z', '2026-10-25T06:00:00.000Z'],
  ])('from 22:00 to 07:00 in Berlin at %s: until %s', (now, end) => expect(until(NIGHT, now)).toBe(end));

  it('end at a time that the clock leaves out when it has passed', () => {
    expect(until({ from: '01:00', to: '02:30' }, '2026-03-29T00:30:00Z')).toBe('2026-03-29T01:00:00.000Z');
  });

  it('belong to the day on which they begin, and go on into the next', () => {
    const friday = { ...NIGHT, days: ['fri'] };
    expect(until(friday, '2026-01-16T22:00:00Z')).toBe('2026-01-17T06:00:00.000Z');
    expect(until(friday, '2026-01-17T02:00:00Z')).toBe('2026-01-17T06:00:00.000Z');
    expect(until(friday, '2026-01-17T22:00:00Z')).toBeUndefined();
    expect(until(friday, '2026-01-16T02:00:00Z')).toBeUndefined();
    const weekend = { from: '00:00', to: '24:00', days: ['sat', 'sun'] };
    expect(until(weekend, '2026-01-17T12:00:00Z')).toBe('2026-01-18T23:00:00.000Z');
    expect(until({ from: '12:00', to: '13:15', timezone: 'Asia/Kathmandu' }, '2026-01-17T07:00:00Z')).toBe(
      '2026-01-17T07:30:00.000Z',
    );
  });

  it('are over when they end, and not before, in every zone at any time', () => {
    const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'Asia/Kathmandu');
    const time = fc
      .tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom('00', '10', '45'))
      .map(([hour, minute]) => `${String(hour).padStart(2, '0')}:${minute}`);
    const dates = fc.date({ min: new Date('2026-01-01'), max: new Date('2027-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(zones, time, time, dates, (timezone, from, to, now) => {
        fc.pre(from !== to);
        const hours = clock({ from, to, timezone });
        const end = hours.until(now.getTime());
        if (end === undefined) return;
        expect(end).toBeGreaterThan(now.getTime());
        expect(hours.until(end)).toBeUndefined();
        expect(hours.until(end - 1_000)).toBe(end);
      }),
      { numRuns: 100 },
    );
  });

  it.each([
    [{ from: '25:00', to: '07:00' }, 'from'],
    [{ from: '22:00', to: '24:30' }, 'to'],
    [{ ...NIGHT, timezone: 'Berlin' }, 'IANA'],
    [{ from: '07:00', to: '07:00' }, 'the same as from'],
    [{ from: '00:00', to: '24:00' }, 'never end'],
    [{ ...NIGHT, days: [] }, 'at least one'],
    [{ ...NIGHT, but_not: ['job.started'] }, 'but_not'],
  ])('%j is refused: %s', (input, words) => expect(() => clock(input)).toThrow(words));
});
