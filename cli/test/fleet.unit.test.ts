import { describe, expect, it } from 'vitest';
import { onKey, type Key, type Pressed } from '../src/fleet/keys.js';
import type { Model } from '../src/fleet/model.js';
import { reduce, type Look } from '../src/fleet/reduce.js';
import { rowsOf, selectedRow } from '../src/fleet/rows.js';
import { shortSpan } from '../src/fleet/words.js';
import { BATCH, broken, LOOK, NOW, one, RUNNING, STATUS } from '../../test/support/fleet-samples.js';
import { empty, fleet } from './fleet-models.js';

const NAMED = new Set([
  'up',
  'down',
  'pageup',
  'pagedown',
  'home',
  'end',
  'return',
  'escape',
  'tab',
  'backspace',
  'left',
]);
const keyOf = (word: string): Key =>
  NAMED.has(word)
    ? { text: '', name: word, ctrl: false }
    : { text: word, name: word.toLowerCase(), ctrl: false, shift: word !== word.toLowerCase() };
/** Presses keys one after the other. */
function press(model: Model, ...keys: string[]): Pressed {
  let pressed: Pressed = { model };
  for (const key of keys) pressed = onKey(pressed.model, keyOf(key), 3);
  return pressed;
}
const looked = (model: Model, look: Look, now = NOW): Model => reduce(model, { type: 'looked', look }, now);
const vms = (model: Model): (string | undefined)[] =>
  rowsOf(model).map((row) => (row.kind === 'job' ? row.job.vm_name : undefined));
const vm = (model: Model): string | undefined => {
  const row = selectedRow(model);
  return row?.kind === 'job' ? row.job.vm_name : undefined;
};

describe('what is shown', () => {
  it('the longest under way first; s takes another order, and a filter fewer', () => {
    const model = fleet();
    expect(vms(model)).toEqual(['production-db', 'mail', 'データベース-01', 'web-07']);
    expect(vms(press(model, 's').model)).toEqual(['mail', 'データベース-01', 'production-db', 'web-07']);
    const filtered = press(model, '/', 'W', 'e', 'x', 'backspace', 'b', 'return');
    expect(vms(filtered.model)).toEqual(['web-07']);
    expect(filtered.effect).toEqual({ kind: 'look' });
    expect(vms(press(filtered.model, 'escape').model)).toHaveLength(4);
    expect(vms(press(model, '3').model)).toEqual(['web-05', 'web-03']);
    // By its code, which only the details tell.
    expect(vms(press(model, '3', '/', 'd', 'i', 's', 'k', '_').model)).toHaveLength(2);
  });

  it('a job that ended leaves those under way, and is the newest of its end', () => {
    const [, , mail] = RUNNING;
    const ended = { ...mail, ...broken('mail', 41), completed_at: new Date(NOW).toISOString() };
    const pages = { running: { jobs: RUNNING.filter((job) => job !== mail), more: false } };
    const model = looked(fleet(), { pages, details: [ended] });
    expect(vms(model)).not.toContain('mail');
    expect(vms(press(model, '3').model)).toEqual(['mail', 'web-05', 'web-03']);
    // A page of the list that is not whole does not drop it; one that is whole does.
    const page = { jobs: [broken('web-05', 20)], more: true };
    expect(vms(press(looked(model, { pages: { failed: page } }), '3').model)).toHaveLength(3);
    const whole = { jobs: page.jobs, more: false };
    expect(vms(press(looked(model, { pages: { failed: whole } }), '3').model)).toEqual(['web-05']);
  });

  it('a job that is tried again is not failed any more', () => {
    const again = one('web-05', 'exporting', 20, { updated_at: new Date(NOW + 1).toISOString() });
    const model = looked(fleet(), { pages: { running: { jobs: [again], more: false } } });
    expect(vms(press(model, '3').model)).toEqual(['web-03']);
  });

  it('a gateway that is gone keeps what was seen, and comes back', () => {
    const lost = reduce(fleet(), { type: 'trouble', message: 'gone' }, NOW + 5_000);
    const longer = reduce(lost, { type: 'trouble', message: 'still gone' }, NOW + 9_000);
    expect(longer.trouble).toEqual({ message: 'still gone', since: NOW + 5_000 });
    expect(vms(longer)).toHaveLength(4);
    expect(looked(longer, LOOK, NOW + 12_000)).toMatchObject({ trouble: null, seenAt: NOW + 12_000 });
  });

  it('totals of a batch are not those of the fleet', () => {
    const whole = fleet();
    expect(whole.totals?.pending).toBe(734);
    expect(whole.workers.map(({ service }) => service)).toEqual(['exporter', 'converter']);
    const { model } = press({ ...whole, view: 'batches' }, 'return');
    expect(model).toMatchObject({
      view: 'running',
      scope: { batch: BATCH.batch_id, batchName: 'night-1' },
      totals: null,
    });
    expect(looked(model, { status: STATUS }).totals).toBeNull();
    const { total: _, ...totals } = BATCH.totals;
    expect(looked(model, { status: STATUS, totals, etaSeconds: 60 })).toMatchObject({ totals, etaSeconds: 60 });
    expect(press(model, 'escape').model.scope).toEqual({});
  });

  it('keeps nothing of jobs that are in no list', () => {
    const model = looked(fleet(), { pages: { running: { jobs: [], more: false }, failed: { jobs: [], more: false } } });
    expect([...model.details.keys()]).toHaveLength(2);
  });
});

describe('keys', () => {
  it('the selection stays with its job while the order changes, and with its place when the job goes', () => {
    const second = press(fleet(), 'j').model;
    expect(vm(second)).toBe('mail');
    expect(vm(press(second, 's').model)).toBe('mail');
    const without = looked(second, {
      pages: { running: { jobs: RUNNING.filter((job) => job.vm_name !== 'mail'), more: false } },
    });
    expect(vm(without)).toBe('データベース-01');
    expect(vm(press(fleet(), 'pagedown', 'pagedown', 'up').model)).toBe('データベース-01');
    expect(vm(press(fleet(), 'G', 'g').model)).toBe('production-db');
  });

  it('cancels after y alone, and the job that was asked about', () => {
    const asked = press(fleet(), 'c');
    expect(asked.model.asking).toMatchObject({ kind: 'confirm', action: { kind: 'cancel', vm: 'production-db' } });
    for (const no of ['n', 'return', 'escape', 'q']) expect(press(asked.model, no).effect).toBeUndefined();
    // Meanwhile it has gone.
    const gone = looked(asked.model, { pages: { running: { jobs: [], more: false } } });
    expect(press(gone, 'y').effect).toEqual({
      kind: 'act',
      action: { kind: 'cancel', jobId: 'job-productiondb', vm: 'production-db' },
    });
  });

  it('says why something cannot be done', () => {
    const notice = (model: Model, ...keys: string[]): string | undefined => press(model, ...keys).model.notice?.text;
    expect(notice(fleet(), 'r')).toContain('only what failed');
    expect(notice(fleet({ readOnly: true }), 'c')).toContain('--read-only');
    expect(notice(fleet({ readOnly: true, view: 'workers' }), 'p')).toContain('--read-only');
    expect(notice(empty(), 'c')).toContain('Which job?');
    expect(notice(fleet(), 'p')).toContain('Select a worker');
    expect(press(fleet(), '3', 'r').model.asking).toMatchObject({ action: { kind: 'retry', vm: 'web-05' } });
    expect(press(fleet(), '6', 'p').model.asking).toMatchObject({
      action: { kind: 'pause', worker: 'exporter-1' },
    });
    expect(press(fleet(), '6', 'j', 'p').model.asking).toMatchObject({
      action: { kind: 'resume', worker: 'converter-1' },
    });
  });

  it('opens a job and comes back; q leaves only the fleet', () => {
    const open = press(fleet(), 'return');
    expect(open.effect).toEqual({ kind: 'look' });
    expect(open.model.open).toMatchObject({ vm: 'production-db', job: { status: 'exporting' } });
    const log = [
      { job_id: 'job-x', time: '2026-01-17T22:00:00Z', level: 'info', phase: 'export', message: 'm' },
    ] as const;
    const told = looked(open.model, { open: { jobId: 'job-productiondb', log } });
    expect(told.open?.log).toHaveLength(1);
    expect(looked(told, { open: { jobId: 'job-other', log: [] } }).open?.log).toHaveLength(1);
    expect(press(told, 'c').model.asking).toMatchObject({ action: { kind: 'cancel' } });
    expect(press(told, 'q')).toMatchObject({ model: { open: null } });
    expect(press(fleet(), 'q').effect).toEqual({ kind: 'quit', interrupted: false });
    const interrupt = { text: '', name: 'c', ctrl: true };
    for (const model of [fleet(), told, press(fleet(), 'c').model, press(fleet(), '/').model])
      expect(onKey(model, interrupt, 3).effect).toEqual({ kind: 'quit', interrupted: true });
  });
});

describe('shortSpan', () => {
  it.each([
    [0, '0s'],
    [59_999, '59s'],
    [60_000, '1m'],
    [3_599_999, '59m'],
    [3 * 3_600_000, '3h'],
    [3 * 3_600_000 + 5 * 60_000, '3h05m'],
    [52 * 3_600_000, '2d4h'],
    [-1, '0s'],
  ])('%i ms', (ms, word) => expect(shortSpan(ms)).toBe(word));
});
