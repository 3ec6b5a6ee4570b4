import * as fc from 'fast-check';
import { LANES, type Lane, type WorkerHeartbeat } from '@hyper2kvm/contracts';
import { describe, expect, it } from 'vitest';
import { secondsUntilStart } from '../src/jobs/estimate.js';
import type { ReleasedJob } from '../src/release/board.js';
import { plan, type Slots, type WaitingJob } from '../src/release/planner.js';
import { capacityOf, exportRoom, lowestWithRoom, RESERVE } from '../src/release/slots.js';
import { FIRST_TURN } from '../src/release/turns.js';

const LIMITS = { disksPerHost: 4, disksPerVcenter: 32 };
let serial = 0;
const waiting = (lane: Lane, host?: string): WaitingJob => ({
  id: `job-${String((serial += 1)).padStart(6, '0')}`,
  lane,
  queuedAt: new Date(serial),
  order: 0,
  host,
  vcenter: host === undefined ? undefined : 'vc',
  disks: 3,
});
const many = (lane: Lane, count: number): WaitingJob[] => Array.from({ length: count }, () => waiting(lane));
const room = (count: number): Slots => ({ room: { high: count, normal: count, low: count }, words: 'full' });
const lanesOf = (jobs: readonly WaitingJob[], ids: readonly string[]): string =>
  ids.map((id) => jobs.find((job) => job.id === id)?.lane.charAt(0)).join('');

describe('the guard', () => {
  const jobs = [...many('low', 40), ...many('normal', 40), ...many('high', 40)];

  it('gives each eighth release to the waiting lower lane that was served longest ago', () => {
    const { release } = plan(jobs, [], LIMITS, room(32));
    expect(lanesOf(jobs, release).slice(0, 32)).toBe('hhhhhhhn'.concat('hhhhhhhl').repeat(2));
  });

  it('keeps its count from plan to plan, whatever their size', () => {
    let rest = jobs;
    let turn = FIRST_TURN;
    const order: string[] = [];
    for (let step = 0; order.length < 32; step += 1) {
      const made = plan(rest, [], LIMITS, room(1 + (step % 3)), turn);
      order.push(...made.release);
      rest = rest.filter(({ id }) => !made.release.includes(id));
      turn = made.turn;
    }
    expect(lanesOf(jobs, order).slice(0, 32)).toBe('hhhhhhhn'.concat('hhhhhhhl').repeat(2));
  });

  it('keeps a place for its choice where that finds no room, so that a busy host starves no lower lane', () => {
    const low = waiting('low', 'a');
    const [other, elsewhere] = [waiting('high', 'a'), waiting('high', 'b')];
    const due = { ...FIRST_TURN, picks: 7 };
    const running = [{ host: 'a', vcenter: 'vc', disks: 2 }];
    const held = plan([low, { ...other, disks: 1 }, elsewhere], running, LIMITS, room(9), due);
    expect(held.release).toEqual([elsewhere.id]);
    expect(held.turn.guarded).toBe(0);
    expect(plan([low, other], [], LIMITS, room(9), held.turn).release).toEqual([low.id]);
  });

  it('passes its turn where no lower lane waits', () => {
    const high = many('high', 9);
    const { turn } = plan(high, [], LIMITS, room(8));
    expect(turn).toMatchObject({ picks: 8, guarded: 8 });
  });

  it('starves no lane: each is served within 24 releases while it waits', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...LANES), { minLength: 60, maxLength: 120 }), (lanes) => {
        const all = lanes.map((lane) => waiting(lane));
        const order = lanesOf(all, plan(all, [], LIMITS, room(all.length)).release);
        for (const lane of LANES) {
          const own = order.slice(0, order.lastIndexOf(lane.charAt(0)) + 1);
          expect(Math.max(...own.split(lane.charAt(0)).map((gap) => gap.length))).toBeLessThan(24);
        }
      }),
    );
  });
});

const released = (lane: Lane, started: boolean): ReleasedJob => ({
  id: 'job-7k2m9x4qa3hd',
  host: undefined,
  vcenter: undefined,
  disks: 1,
  bytes: 1,
  lane,
  started: started ? new Date() : null,
});
const beat = (changes: Partial<WorkerHeartbeat>): WorkerHeartbeat => ({
  worker_id: 'w',
  service: 'exporter',
  version: '0',
  host: 'h',
  pid: 1,
  pools: ['any'],
  slots: 4,
  active_jobs: [],
  paused: false,
  disk_free_bytes: null,
  started_at: '',
  time: '',
  ...changes,
});

describe('the room of exporters', () => {
  const capacity = { exporters: 1, exportSlots: 2, converters: 0, conversionSlots: 0 };

  it('is what is free, and the reserve; one that waits takes it from its own lane and those below', () => {
    expect(exportRoom(capacity, []).room).toEqual({ high: 2 + RESERVE, normal: 2 + RESERVE, low: 2 + RESERVE });
    const full = [released('low', true), released('low', true), released('normal', false)];
    expect(exportRoom(capacity, full)).toEqual({
      room: { high: RESERVE, normal: RESERVE - 1, low: RESERVE - 1 },
      words: '2 of 2 slots of the exporters are taken',
    });
    expect(lowestWithRoom(exportRoom(capacity, full))).toBe('high');
    expect(lowestWithRoom(exportRoom(capacity, [...full, released('high', false)]))).toBeUndefined();
  });

  it('is the reserve where no exporter is there', () => {
    const none = exportRoom({ ...capacity, exporters: 0, exportSlots: 0 }, []);
    expect(none).toEqual({ room: { high: RESERVE, normal: RESERVE, low: RESERVE }, words: 'no exporter is running' });
  });

  it('counts of a paused worker what it still runs', () => {
    const workers = [
      beat({}),
      beat({ paused: true, active_jobs: ['job-1'] }),
      beat({ service: 'converter', slots: 3 }),
    ];
    expect(capacityOf(workers)).toEqual({ exporters: 2, exportSlots: 5, converters: 1, conversionSlots: 3 });
  });

  it('tells who has to wait for it how many are ahead', () => {
    const jobs = many('normal', 3);
    const { reasons } = plan(jobs, [], LIMITS, { ...room(1), words: '1 of 1 slots of the exporters are taken' });
    expect([...reasons.values()]).toEqual([
      '1 of 1 slots of the exporters are taken',
      '1 of 1 slots of the exporters are taken; 1 job is ahead',
    ]);
  });
});

it('reckons when a job starts from what runs and what is ahead', () => {
  expect(secondsUntilStart(2, [], 0, 0)).toBe(0);
  expect(secondsUntilStart(2, [50], 0, 0)).toBe(0);
  expect(secondsUntilStart(2, [50, 20], 0, 0)).toBe(20);
  // The one ahead takes the slot that is free in 20 s, until 120 s.
  expect(secondsUntilStart(2, [50, 20], 1, 100)).toBe(50);
  expect(secondsUntilStart(1, [30], 3, 300)).toBe(330);
  // More run than there are slots now: a worker is gone.
  expect(secondsUntilStart(1, [10, 40], 0, 0)).toBe(40);
  expect(secondsUntilStart(4, [], 10_000, 40_000)).toBe(10_000);
});
