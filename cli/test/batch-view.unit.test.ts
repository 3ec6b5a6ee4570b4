import type { JobStatus, JobSummary } from '@hyper2kvm/contracts';
import { describe, expect, it } from 'vitest';
import { endLines, happenedLines, plainLines, tableLines } from '../src/lib/batch/draw.js';
import { batchLines, batchTable } from '../src/lib/batch/show.js';
import { isHeld, isOver, NO_BATCH, onConnection, onLook, totalsWord, type BatchView } from '../src/lib/batch/view.js';
import { exitCodeOfBatch } from '../src/lib/batch/watch.js';
import { painter, stringWidth } from '../src/lib/width.js';
import { batch, BATCH_ID, job } from '../../test/support/cli-samples.js';

const AT = Date.parse('2026-01-17T22:00:00Z');
const paint = painter(false);
const vm = (number: number, status: JobStatus, change: Partial<JobSummary> = {}): JobSummary =>
  job({ job_id: `job-00000${number}`, vm_name: `web-0${number}`, status, batch_id: BATCH_ID, ...change });
/** Told without their times. */
const told = (view: BatchView, from = 0): string[] => plainLines(view, from).map((line) => line.replace(/^\S+Z /, ''));

const wave = (name: string, status: 'waiting' | 'running' | 'completed', after: string[] = []): object => ({
  name,
  status,
  after,
  reason: null,
  totals: batch().totals,
});
const waves = (...all: object[]): object => ({ waves: all });

describe('what happens to a batch', () => {
  const first = onLook(
    NO_BATCH,
    {
      detail: batch({}, { pending: 2, exporting: 1, completed: 1 }),
      jobs: [vm(1, 'completed'), vm(2, 'exporting'), vm(3, 'pending'), vm(4, 'pending')],
    },
    AT,
  );

  it('is told from the first look on: the batch, and what is under way', () => {
    expect(plainLines(first, 0)).toEqual([
      `2026-01-17T22:00:00Z Batch night-1 (${BATCH_ID}): 4 VMs, 1 of 4 done, 1 running, 2 waiting`,
      '2026-01-17T22:00:00Z web-02: exporting (job-000002)',
    ]);
    const fresh = onLook(
      { ...NO_BATCH, fresh: true },
      { detail: batch(), jobs: [vm(1, 'completed'), vm(3, 'pending')] },
      AT,
    );
    expect(told(fresh, 1)).toEqual(['web-01: completed (job-000001)']);
  });

  it('is a line for each change of a VM, and no other', () => {
    const second = onLook(
      first,
      { detail: batch(), jobs: [vm(2, 'exporting', { percent_complete: 40 }), vm(3, 'pending')] },
      AT,
    );
    expect(told(second, 2)).toEqual([]);
    const third = onLook(
      second,
      { detail: batch(), jobs: [vm(3, 'failed', { error: 'no\u001b[31m OS' }), vm(2, 'converting')] },
      AT,
    );
    expect(told(third, 2)).toEqual(['web-03: failed: no[31m OS (job-000003)', 'web-02: converting (job-000002)']);
    const again = onLook(third, { detail: batch(), jobs: [vm(3, 'pending', { retry_count: 1, error: 'cut' })] }, AT);
    expect(told(again, 4)).toEqual(['web-03: waits for retry 1: cut (job-000003)']);
    // Between two looks it began and failed again.
    const unseen = onLook(again, { detail: batch(), jobs: [vm(3, 'pending', { retry_count: 2 })] }, AT);
    expect(told(unseen, 5)).toEqual(['web-03: waits for retry 2 (job-000003)']);
    expect(told(onConnection(again, 'lost', AT), 5)[0]).toMatch(/does not answer; the batch goes on/);
  });

  it('tells that a wave waits for a time of its VMs, and that it begins when they do', () => {
    const reason = 'it waits for its window: Sat 22:00 to 06:00';
    const held = { ...wave('db', 'running'), reason };
    const one = onLook(NO_BATCH, { detail: batch(waves(held, wave('web', 'waiting', ['db']))), jobs: [] }, AT);
    expect(told(one, 1)).toEqual([`Wave db waits: ${reason}`]);
    const open = onLook(one, { detail: batch(waves(wave('db', 'running'), wave('web', 'waiting'))), jobs: [] }, AT);
    expect(told(open, 2)).toEqual(['Wave db begins']);
    const single = onLook(NO_BATCH, { detail: batch(waves(held)), jobs: [] }, AT);
    expect(told(single, 1)).toEqual([`The batch waits: ${reason}`]);
    expect(told(onLook(single, { detail: batch(waves(wave('db', 'running'))), jobs: [] }, AT), 2)).toEqual([]);
  });

  it('tells of waves, and why nothing goes on', () => {
    const one = onLook(
      NO_BATCH,
      { detail: batch(waves(wave('db', 'running'), wave('web', 'waiting', ['db']))), jobs: [] },
      AT,
    );
    expect(told(one)).toEqual([expect.stringContaining('4 VMs in 2 waves'), 'Wave db begins']);
    const two = onLook(one, { detail: batch(waves(wave('db', 'completed'), wave('web', 'running'))), jobs: [] }, AT);
    expect(told(two, 2)).toEqual(['Wave db is through', 'Wave web begins']);
    // VMs end before their wave, the next ones begin after it, and what became of the whole is last.
    const jobs = [vm(1, 'exporting'), vm(2, 'completed')];
    const seen = { ...two, jobs: new Map(jobs.map((one) => [one.job_id, { ...one, status: 'pending' as const }])) };
    const stopped = onLook(
      { ...seen, waves: one.waves },
      { detail: batch({ ...two.detail, status: 'stopped' }), jobs },
      AT,
    );
    expect(told(stopped, 4).map((line) => line.split(/[: ]/)[0])).toEqual([
      'web-02',
      'Wave',
      'Wave',
      'web-01',
      'Batch',
    ]);
    const held = batch({ reason: 'wave web waits for wave db: 1 of its VMs failed' });
    const three = onLook(two, { detail: held, jobs: [] }, AT);
    expect(told(three, 4)).toEqual([`Batch night-1 (${BATCH_ID}): wave web waits for wave db: 1 of its VMs failed`]);
    expect([isHeld(held), isHeld(batch()), isHeld(batch({ status: 'stopped' }))]).toEqual([true, false, true]);
  });
});

describe('the table', () => {
  const many = Array.from({ length: 9 }, (_, index) =>
    vm(index, 'exporting', { vm_name: `a-rather-long-name-of-a-vm-${index}`, percent_complete: 10 * index }),
  );
  const detail = batch(
    { percent_complete: 45, eta_seconds: 7800 },
    { total: 30, pending: 8, exporting: 9, completed: 12, failed: 1 },
  );
  const view = onLook(NO_BATCH, { detail, jobs: [...many, vm(5, 'failed', { job_id: 'job-999999', error: 'x' })] }, AT);

  it.each([40, 60, 80, 200])('fits into %i columns', (columns) => {
    const lines = tableLines(view, { columns, rows: 24, paint });
    for (const line of lines) expect(stringWidth(line), line).toBeLessThanOrEqual(columns);
    expect(lines[1]).toContain('45%  ETA: 2h 10m');
    expect(lines).toHaveLength(3 + 9);
    expect(lines[4]).toMatch(/ exporting {3,}10%$/);
  });

  it('shows fewer VMs where the terminal is low, and says so', () => {
    const lines = tableLines(view, { columns: 80, rows: 10, paint });
    expect(lines.length).toBeLessThan(10);
    expect(lines.at(-1)).toBe('  and 5 more');
  });

  it('has colours only where they are wanted', () => {
    expect(tableLines(view, { columns: 80, rows: 24, paint }).join('')).not.toContain('\u001b');
    expect(tableLines(view, { columns: 80, rows: 24, paint: painter(true) }).join('')).toContain('\u001b[32m');
  });

  it('lets what ended scroll away above', () => {
    const done = onLook(view, { detail, jobs: [vm(1, 'completed', { job_id: 'job-000001' })] }, AT);
    expect(happenedLines(done, view.happened.length, { columns: 80, rows: 24, paint })).toEqual([
      '✅ web-01: completed (job-000001)',
    ]);
  });
});

describe('the end', () => {
  it('of a batch that is cancelled comes when nothing of it is left', () => {
    const over = [
      batch({ status: 'completed' }, { pending: 0, completed: 4 }),
      batch({ status: 'cancelled' }, { pending: 3, cancelled: 1 }),
      batch({ status: 'cancelled' }, { pending: 0, converting: 1, cancelled: 3 }),
      batch({ status: 'cancelled' }, { pending: 0, exported: 1, cancelled: 3 }),
      batch({ status: 'stopped' }, { pending: 0 }),
    ].map(isOver);
    expect(over).toEqual([true, false, false, true, false]);
  });

  it('lists what failed, and what to do', () => {
    const detail = batch(
      { status: 'completed', completed_at: '2026-01-18T00:10:00Z' },
      { pending: 0, completed: 3, failed: 1 },
    );
    const lines = endLines(detail, [vm(1, 'completed'), vm(2, 'failed', { error: 'no OS' })], paint);
    expect(lines).toEqual([
      '',
      `Batch night-1 (${BATCH_ID}): completed in 2h 10m`,
      '3 of 4 done, 1 failed',
      '  ❌ web-02: failed: no OS (job-000002)',
      '',
      `Try again:  hyperctl retry --all-failed --batch ${BATCH_ID}`,
      `Report:     hyperctl batches report ${BATCH_ID} --format csv -o night-1.csv`,
    ]);
    const stopped = endLines(batch({ status: 'stopped', reason: 'it stopped', name: 'a b' }), [], paint);
    expect(stopped.slice(-2)).toEqual([
      `Go on:      hyperctl batches resume ${BATCH_ID}`,
      `Report:     hyperctl batches report ${BATCH_ID} --format csv -o ${BATCH_ID}.csv`,
    ]);
  });

  it('is 0 only where every VM was moved', () => {
    const codes = [
      batch({ status: 'completed' }, { pending: 0, completed: 4 }),
      batch({ status: 'completed' }, { pending: 0, completed: 3, failed: 1 }),
      batch({ status: 'completed' }, { pending: 0, completed: 3, cancelled: 1 }),
      batch({ status: 'cancelled' }, { pending: 0, completed: 4 }),
      batch({ status: 'stopped' }),
    ].map(exitCodeOfBatch);
    expect(codes).toEqual([0, 1, 1, 1, 1]);
  });
});

describe('hyperctl batches', () => {
  it('fits tables to the terminal', () => {
    const long = batch({ name: 'x'.repeat(100), reason: 'y'.repeat(100) });
    for (const line of batchTable([long], 60)) expect(stringWidth(line)).toBeLessThanOrEqual(60);
    expect(batchTable([long]).join('\n')).toContain('x'.repeat(100));
  });

  it('shows limits, data and times', () => {
    const lines = batchLines(
      batch({ bytes_downloaded: 5e9, total_bytes: 20e9, eta_seconds: 60 }, { pending: 3, failed: 1 }),
    );
    expect(lines).toContain('Parallel:    2');
    expect(lines).toContain('Stop after:  no limit');
    expect(lines).toContain('Data:        5 GB fetched of disks of 20 GB');
    expect(lines).toContain(`VMs:         ${totalsWord(batch({}, { pending: 3, failed: 1 }).totals)}`);
  });
});
