import * as fc from 'fast-check';
import { JobOptions } from '@hyper2kvm/contracts';
import { IANAZone } from 'luxon';
import { describe, expect, it } from 'vitest';
import { parseWindow, scheduleOf } from '../src/schedule/index.js';

const schedule = (now: string, window?: string, notBefore?: string) =>
  scheduleOf(
    {
      notBefore: notBefore === undefined ? null : new Date(notBefore),
      options: JobOptions.parse(window === undefined ? {} : { window }),
    },
    new Date(now),
  );
const opensAt = (...asked: Parameters<typeof schedule>): string => {
  const answer = schedule(...asked);
  return answer.due ? 'due' : answer.opensAt.toISOString().slice(0, 16);
};

const days = (text: string): number[] => parseWindow(text).spans.flatMap((span) => [...span.days]);

describe('a window is read', () => {
  it.each([
    ['Sat 22:00-06:00 Europe/Berlin', [6]],
    ['Sat,Sun 00:00-24:00 Europe/Berlin', [6, 7]],
    ['Mon-Fri 20:00-06:00 UTC', [1, 2, 3, 4, 5]],
    ['Fri-Mon 20:00-6:00 UTC', [5, 6, 7, 1]],
    ['daily 22:00-06:00 UTC', [1, 2, 3, 4, 5, 6, 7]],
    ['saturday , sun 22:00 - 06:00 utc; WED 01:00-02:00 Asia/Tokyo', [6, 7, 3]],
  ])('%s', (text, expected) => {
    expect(days(text)).toEqual(expected);
  });

  it.each([
    ['', 'an empty part'],
    ['Sat 22:00-06:00 UTC;', 'an empty part'],
    ['22:00-06:00 UTC', '"22:00-06:00 UTC" has no days'],
    ['Sat', '"Sat" has no times'],
    ['Sat 22:00-06:00', '"Sat 22:00-06:00" has no time zone'],
    ['Caturday 22:00-06:00 UTC', '"Caturday" is no day'],
    ['Mon-Wed-Fri 22:00-06:00 UTC', '"Mon-Wed-Fri" are no days'],
    ['Sat,,Sun 22:00-06:00 UTC', '"" is no day'],
    ['Sat 22:00 UTC', '"22:00" in "Sat 22:00 UTC" are no times'],
    ['Sat 22:00-25:00 UTC', '"25:00" is no time of day'],
    ['Sat 22:60-23:00 UTC', '"22:60" is no time of day'],
    ['Sat 10pm-11pm UTC', '"10pm" is no time of day'],
    ['Sat 24:00-06:00 UTC', '"24:00" cannot open a window'],
    ['Sat 22:00-22:00 UTC', '"22:00-22:00" opens and closes at once'],
    ['Sat 22:00-06:00 Europe/Bärlin', 'there is no time zone "Europe/Bärlin"'],
    ['Sat 22:00-06:00 +02:00', 'there is no time zone "+02:00"'],
    ['Sat 22:00-06:00 UTC please', '"please" behind the time zone'],
  ])('"%s" is refused: %s', (text, problem) => {
    expect(() => parseWindow(text)).toThrow(
      expect.objectContaining({
        code: 'BAD_REQUEST',
        message: expect.stringContaining(`options.window: ${problem}; `),
      }),
    );
  });
});

describe('a schedule', () => {
  it('is always due without times, and says for when it waits', () => {
    expect(schedule('2026-01-17T10:00:00Z')).toEqual({ due: true });
    expect(schedule('2026-01-17T10:00:00Z', undefined, '2026-01-17T21:30:00Z')).toEqual({
      due: false,
      reason: 'it does not start before 2026-01-17T21:30:00Z',
      opensAt: new Date('2026-01-17T21:30:00Z'),
    });
    expect(schedule('2026-01-17T10:00:00Z', 'Sat 22:00-06:00 Europe/Berlin')).toEqual({
      due: false,
      reason: 'its window opens on Sat 2026-01-17 22:00 Europe/Berlin (Sat 22:00-06:00 Europe/Berlin)',
      opensAt: new Date('2026-01-17T21:00:00Z'),
    });
  });

  it('is open from the first minute to before the last, over midnight too', () => {
    const window = 'Sat 22:00-06:00 Europe/Berlin';
    expect(opensAt('2026-01-17T20:59:59.999Z', window)).toBe('2026-01-17T21:00');
    expect(opensAt('2026-01-17T21:00:00Z', window)).toBe('due');
    expect(opensAt('2026-01-18T04:59:59.999Z', window)).toBe('due');
    expect(opensAt('2026-01-18T05:00:00Z', window)).toBe('2026-01-24T21:00');
    // The night belongs to the Saturday on which it began.
    expect(opensAt('2026-01-17T01:00:00Z', window)).toBe('2026-01-17T21:00');
  });

  it('has both: the first open minute that is not before', () => {
    const window = 'Sat,Sun 00:00-24:00 Europe/Berlin';
    expect(opensAt('2026-01-12T10:00:00Z', window, '2026-01-18T12:00:00Z')).toBe('2026-01-18T12:00');
    expect(opensAt('2026-01-12T10:00:00Z', window, '2026-01-19T12:00:00Z')).toBe('2026-01-23T23:00');
    expect(opensAt('2026-01-17T10:00:00Z', window, '2026-01-17T09:00:00Z')).toBe('due');
  });

  it('goes by the nearest of several windows', () => {
    const window = 'Sun 01:00-02:00 UTC; Wed 05:00-06:00 Asia/Tokyo';
    expect(opensAt('2026-01-19T00:00:00Z', window)).toBe('2026-01-20T20:00');
    expect(opensAt('2026-01-21T00:00:00Z', window)).toBe('2026-01-25T01:00');
  });

  it('opens late where the clock passes over its first minute, and not at all where over all of them', () => {
    // 2026-03-29 in Berlin: 02:00 becomes 03:00.
    expect(opensAt('2026-03-28T12:00:00Z', 'Sun 02:30-05:00 Europe/Berlin')).toBe('2026-03-29T01:00');
    expect(opensAt('2026-03-28T12:00:00Z', 'Sun 02:15-02:45 Europe/Berlin')).toBe('2026-04-05T00:15');
    expect(opensAt('2026-03-29T01:00:00Z', 'Sun 01:00-02:30 Europe/Berlin')).toBe('2026-04-04T23:00');
    expect(opensAt('2026-03-29T00:59:59Z', 'Sun 01:00-02:30 Europe/Berlin')).toBe('due');
    // The night is an hour shorter, its times are those of the clock on the wall.
    expect(opensAt('2026-03-29T03:59:59Z', 'Sat 22:00-06:00 Europe/Berlin')).toBe('due');
    expect(opensAt('2026-03-29T04:00:00Z', 'Sat 22:00-06:00 Europe/Berlin')).toBe('2026-04-04T20:00');
  });

  it('neither opens nor closes twice where the clock is put back', () => {
    // 2026-10-25 in Berlin: 03:00 becomes 02:00.
    const window = 'Sun 02:30-04:00 Europe/Berlin';
    expect(opensAt('2026-10-24T12:00:00Z', window)).toBe('2026-10-25T00:30');
    for (const minute of ['00:30', '01:00', '01:29', '02:59'])
      expect(opensAt(`2026-10-25T${minute}:00Z`, window)).toBe('due');
    expect(opensAt('2026-10-25T03:00:00Z', window)).toBe('2026-11-01T01:30');
    // It closed when 02:30 was shown first.
    expect(opensAt('2026-10-25T00:29:59Z', 'Sat 22:00-02:30 Europe/Berlin')).toBe('due');
    expect(opensAt('2026-10-25T01:10:00Z', 'Sat 22:00-02:30 Europe/Berlin')).toBe('2026-10-31T21:00');
  });

  it('waits with the reason where its window cannot be read any more', () => {
    expect(schedule('2026-01-17T10:00:00Z', 'Sat 22:00-06:00 Mars/Base')).toMatchObject({
      due: false,
      reason: expect.stringContaining('there is no time zone "Mars/Base"'),
    });
  });
});

// --- properties

const STEP = 5 * 60_000;
const NAMES = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
/** Around the changes of spring and autumn; Lord Howe's clock is put by half an hour, Newfoundland is off by one. */
const SEASONS = [
  { from: Date.parse('2026-03-20T00:00Z'), days: 33 },
  { from: Date.parse('2026-09-28T00:00Z'), days: 48 },
];
const ZONES = ['Europe/Berlin', 'Australia/Lord_Howe', 'America/St_Johns', 'UTC'];
/** Of each step of a season: the latest time that the wall clock has shown so far, in ms as if it were UTC. */
const shown = new Map(
  ZONES.map((name) => [
    name,
    SEASONS.map(({ from, days }) => {
      let latest = 0;
      return Array.from({ length: (days * 86_400_000) / STEP }, (_, n) => {
        const at = from + n * STEP;
        latest = Math.max(latest, at + new IANAZone(name).offset(at) * 60_000);
        return latest;
      });
    }),
  ]),
);

const clock = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

it('opens at the first open minute: the one by a clock that is looked at every five minutes', () => {
  const time = fc.integer({ min: 0, max: 287 }).map((step) => step * 5);
  fc.assert(
    fc.property(
      fc.constantFrom(...ZONES),
      fc.constantFrom(0, 1),
      fc.subarray([1, 2, 3, 4, 5, 6, 7], { minLength: 1 }),
      time,
      time,
      fc.integer({ min: 288, max: 14 * 288 }),
      (zone, season, open, from, to, start) => {
        fc.pre(from !== to);
        const clocks = shown.get(zone)?.[season] ?? [];
        const isOpen = (step: number): boolean => {
          const now = clocks[step] ?? 0;
          const today = Math.floor(now / 86_400_000);
          return [today - 1, today].some((date) => {
            const day = new Date(date * 86_400_000).getUTCDay() || 7;
            const opens = date * 86_400_000 + from * 60_000;
            const closes = (to > from ? date : date + 1) * 86_400_000 + to * 60_000;
            return open.includes(day) && opens <= now && now < closes;
          });
        };
        let first = start;
        while (!isOpen(first)) first += 1;
        const window = `${open.map((day) => NAMES[day - 1]).join(',')} ${clock(from)}-${clock(to)} ${zone}`;
        const at = (step: number): string => new Date((SEASONS[season]?.from ?? 0) + step * STEP).toISOString();
        expect([window, at(start), opensAt(at(start), window)]).toEqual([
          window,
          at(start),
          first === start ? 'due' : at(first).slice(0, 16),
        ]);
      },
    ),
    { numRuns: 400 },
  );
});
