import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../src/lib/errors.js';
import { fullTime, parseAt, parseDays, parseSince, spanWord } from '../src/lib/when.js';

const zone = process.env['TZ'];
beforeAll(() => {
  process.env['TZ'] = 'Europe/Berlin';
});
afterAll(() => {
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
});

/** Saturday, 21:30 in Berlin. */
const NOW = new Date('2026-01-17T20:30:00Z');

describe('--at', () => {
  it.each([
    ['22:00', '2026-01-17T21:00:00.000Z'],
    ['21:30', '2026-01-18T20:30:00.000Z'],
    ['9:05', '2026-01-18T08:05:00.000Z'],
    ['today 23:00', '2026-01-17T22:00:00.000Z'],
    ['Tomorrow 22:00', '2026-01-18T21:00:00.000Z'],
    ['+2h', '2026-01-17T22:30:00.000Z'],
    ['+1h30m', '2026-01-17T22:00:00.000Z'],
    ['+2d', '2026-01-19T20:30:00.000Z'],
    ['2026-07-01 22:00', '2026-07-01T20:00:00.000Z'],
    ['2026-01-18T00:00:00+01:00', '2026-01-17T23:00:00.000Z'],
    ['2026-01-18T00:00:00Z', '2026-01-18T00:00:00.000Z'],
    ['2026-01-18t00:00z', '2026-01-18T00:00:00.000Z'],
  ])('%s', (text, expected) => expect(parseAt(text, '--at', NOW).toISOString()).toBe(expected));

  it('takes the hours of the day as they are, over a change of the clock', () => {
    const before = new Date('2026-03-28T20:30:00Z');
    expect(parseAt('tomorrow 22:00', '--at', before).toISOString()).toBe('2026-03-29T20:00:00.000Z');
    expect(parseAt('21:00', '--at', before).toISOString()).toBe('2026-03-29T19:00:00.000Z');
  });

  it.each(['', 'later', '25:00', '22:61', '2026-02-31 10:00', '+2', '2h', '2026-01-18', '+999999d'])(
    'refuses "%s"',
    (text) => {
      expect(() => parseAt(text, '--at', NOW)).toThrow(UsageError);
      expect(() => parseAt(text, '--at', NOW)).toThrow(/^--at: /);
    },
  );

  it.each(['today 20:00', '2025-01-01 10:00', '2026-01-17T20:30:00Z'])('refuses what is past: %s', (text) =>
    expect(() => parseAt(text, '--at', NOW)).toThrow(/is past$/),
  );

  it('is shown back in full', () => {
    expect(fullTime(parseAt('22:00', '--at', NOW), NOW)).toBe(
      'Sat 2026-01-17 22:00 Europe/Berlin (21:00 UTC), in 30 min',
    );
    expect(fullTime(parseAt('tomorrow 00:10', '--at', NOW), NOW)).toBe(
      'Sun 2026-01-18 00:10 Europe/Berlin (2026-01-17 23:10 UTC), in 2 h 40 min',
    );
    expect(fullTime(NOW, NOW)).toBe('Sat 2026-01-17 21:30 Europe/Berlin (20:30 UTC)');
  });
});

describe('--since', () => {
  it.each([
    ['24h', '2026-01-16T20:30:00.000Z'],
    ['7d', '2026-01-10T20:30:00.000Z'],
    ['2026-01-15', '2026-01-14T23:00:00.000Z'],
    ['2026-01-15 12:00', '2026-01-15T11:00:00.000Z'],
    ['20:00', '2026-01-17T19:00:00.000Z'],
    ['22:00', '2026-01-16T21:00:00.000Z'],
    ['2026-01-15T12:00:00Z', '2026-01-15T12:00:00.000Z'],
  ])('%s', (text, expected) => expect(parseSince(text, '--since', NOW).toISOString()).toBe(expected));

  it.each(['yesterday', '7', '2026-13-01', ''])('refuses "%s"', (text) =>
    expect(() => parseSince(text, '--since', NOW)).toThrow(UsageError),
  );
});

it('days and spans', () => {
  expect([parseDays('90', 'x'), parseDays('90d', 'x'), parseDays('12w', 'x')]).toEqual([90, 90, 84]);
  expect(() => parseDays('soon', '--expires')).toThrow(/^--expires: /);
  expect([12_000, 90_000, 5_400_000, 7_200_000, 93_600_000].map(spanWord)).toEqual([
    '12 s',
    '2 min',
    '1 h 30 min',
    '2 h',
    '1 d 2 h',
  ]);
});
