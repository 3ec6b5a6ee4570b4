import { describe, expect, it } from 'vitest';
import { isDue } from '../src/system/vcenter-prober.js';
import { stateOf } from '../src/system/vcenter-watch.js';
import type { Contact } from '../src/system/vcenter-contacts.js';

const NOW = Date.parse('2026-01-17T10:00:00Z');
const MINUTE = 60_000;
const contact = (minutesAgo: number, more: Partial<Contact> = {}): Contact => ({
  server: 'vc.example.com',
  state: 'ok',
  time: new Date(NOW - minutesAgo * MINUTE).toISOString(),
  ...more,
});
const refused = (minutesAgo: number): Contact =>
  contact(minutesAgo, { state: 'failed', code: 'VCENTER_LOGIN', connection: 'prod' });

describe('the state of the connection to vSphere', () => {
  it.each([
    ['unknown without any contact', [], 'unknown'],
    ['unknown where the last was long ago', [contact(16)], 'unknown'],
    ['ok after an answer', [contact(14)], 'ok'],
    [
      'failed where one of several does not answer',
      [contact(1), contact(2, { state: 'failed', server: 'other' })],
      'failed',
    ],
    [
      'ok where it answered since, to whomever',
      [contact(1), contact(2, { state: 'failed', connection: 'prod' })],
      'ok',
    ],
    ['not that of long ago', [contact(1), contact(16, { state: 'failed' })], 'ok'],
    ['failed as long as a login stays refused', [contact(1), refused(6000)], 'failed'],
  ] as const)('is %s', (_, contacts, state) => {
    expect(stateOf(contacts, NOW)).toBe(state);
  });
});

const changed = (minutesAgo: number): Date => new Date(NOW - minutesAgo * MINUTE);

describe('a login', () => {
  it.each([
    ['tried where nothing is known', undefined, changed(60), true],
    ['not tried soon after a contact', contact(4), changed(60), false],
    ['tried after a while', contact(5), changed(60), true],
    ['not repeated where it was refused', refused(6000), changed(6001), false],
    ['repeated once it was changed', refused(10), changed(9), true],
    ['never repeated where it was refused and nobody knows of a change', refused(6000), undefined, false],
  ] as const)('is %s', (_, last, changedAt, due) => {
    expect(isDue(last, changedAt, 5 * MINUTE, NOW)).toBe(due);
  });
});
