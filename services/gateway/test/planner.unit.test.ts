import * as fc from 'fast-check';
import { LANES } from '@hyper2kvm/contracts';
import { describe, expect, it } from 'vitest';
import { plan, weightOf, type Limits, type Load, type WaitingJob } from '../src/release/planner.js';

const LIMITS: Limits = { disksPerHost: 4, disksPerVcenter: 32 };
const HOST = 'esx07.example.com';
const load = (disks: number, host: string | undefined = HOST, vcenter: string | undefined = 'vc'): Load => ({
  host,
  vcenter,
  disks,
});
let serial = 0;
const waiting = (disks: number, changes: Partial<WaitingJob> = {}): WaitingJob => ({
  ...load(disks),
  id: `job-${String((serial += 1)).padStart(6, '0')}`,
  lane: 'normal',
  queuedAt: new Date(serial),
  order: 0,
  ...changes,
});

describe('reasons', () => {
  it('name the host, what is going on there, and who is ahead', () => {
    const jobs = [waiting(1), waiting(1), waiting(1)];
    const { release, reasons } = plan(jobs, [load(2), load(2)], LIMITS);
    expect(release).toEqual([]);
    expect(jobs.map((job) => reasons.get(job.id))).toEqual([
      '4 of 4 disks of host esx07.example.com are being exported',
      '4 of 4 disks of host esx07.example.com are being exported; 1 job is ahead',
      '4 of 4 disks of host esx07.example.com are being exported; 2 jobs are ahead',
    ]);
  });

  it('say how much a job takes where there is some room', () => {
    const job = waiting(8);
    expect(plan([job], [load(2)], LIMITS).reasons.get(job.id)).toBe(
      '2 of 4 disks of host esx07.example.com are being exported; this job takes 3',
    );
  });

  it('name the vCenter where that is full', () => {
    const job = waiting(1);
    const running = Array.from({ length: 16 }, (_, n) => load(2, `esx${n + 100}`));
    expect(plan([job], running, LIMITS).reasons.get(job.id)).toBe('32 of 32 disks of vCenter vc are being exported');
  });
});

it('goes by priority, then age', () => {
  const jobs = [
    waiting(3, { lane: 'low' }),
    waiting(1, { lane: 'normal' }),
    waiting(1, { lane: 'normal' }),
    waiting(1, { lane: 'high' }),
  ];
  expect(plan(jobs, [], LIMITS).release).toEqual([jobs[3]?.id, jobs[1]?.id, jobs[2]?.id]);
});

it('does not let a smaller job pass a larger one of the same host, but those of other hosts', () => {
  const [large, small, elsewhere] = [waiting(3), waiting(1), waiting(1, { host: 'esx08' })];
  expect(plan([large, small, elsewhere], [load(2)], LIMITS).release).toEqual([elsewhere.id]);
});

it('limits hosts of one name apart where they belong to two vCenters', () => {
  const other = waiting(3, { vcenter: 'vc2' });
  expect(plan([other], [load(3)], LIMITS).release).toEqual([other.id]);
});

it('limits local files in no way, and a VM of an unknown host by its vCenter', () => {
  const local = Array.from({ length: 50 }, () => waiting(3, { host: undefined, vcenter: undefined }));
  expect(plan(local, [], LIMITS).release).toHaveLength(50);
  const unknown = Array.from({ length: 50 }, () => waiting(3, { host: undefined }));
  expect(plan(unknown, [], LIMITS).release).toHaveLength(10);
});

it('counts a job for three disks at most, and for no more than there is room for at all', () => {
  expect([1, 3, 60].map((disks) => weightOf(load(disks), LIMITS))).toEqual([1, 3, 3]);
  expect(weightOf(load(9), { disksPerHost: 2, disksPerVcenter: 1 })).toBe(1);
});

// --- properties

const anyLimits = fc.record({
  disksPerHost: fc.integer({ min: 1, max: 6 }),
  disksPerVcenter: fc.integer({ min: 1, max: 10 }),
});
const anyLoad = fc.record({
  host: fc.constantFrom('a', 'b', 'c', undefined),
  vcenter: fc.constantFrom('vc1', 'vc2'),
  disks: fc.integer({ min: 1, max: 5 }),
});
const anyWaiting = fc
  .record({ load: anyLoad, lane: fc.constantFrom(...LANES), age: fc.integer({ min: 0, max: 5 }) })
  .map(({ load: what, lane, age }) => waiting(0, { ...what, lane, queuedAt: new Date(age) }));

const used = (loads: readonly Load[], limits: Limits, of: (one: Load) => boolean): number =>
  loads.filter(of).reduce((sum, one) => sum + weightOf(one, limits), 0);

/** Everything that is over its limit. */
function excess(loads: readonly Load[], limits: Limits): string[] {
  return ['vc1', 'vc2'].flatMap((vcenter) => [
    ...(used(loads, limits, (one) => one.vcenter === vcenter) > limits.disksPerVcenter ? [vcenter] : []),
    ...['a', 'b', 'c'].filter(
      (host) => used(loads, limits, (one) => one.vcenter === vcenter && one.host === host) > limits.disksPerHost,
    ),
  ]);
}

it('never lets more out than the limits allow, keeps each host in order, and tells all others why they wait', () => {
  fc.assert(
    fc.property(fc.array(anyWaiting, { maxLength: 20 }), anyLimits, (jobs, limits) => {
      // What runs was let out by the same rules.
      const half = jobs.slice(0, jobs.length / 2);
      const running = half.filter((job) => plan(half, [], limits).release.includes(job.id));
      const rest = jobs.filter((job) => !half.includes(job));
      const { release, reasons } = plan(rest, running, limits);
      const out = rest.filter((job) => release.includes(job.id));
      expect(excess([...running, ...out], limits)).toEqual([]);
      expect(new Set([...release, ...reasons.keys()])).toEqual(new Set(rest.map((job) => job.id)));
      expect(release.length + reasons.size).toBe(rest.length);
      for (const job of out) {
        const passed = rest.filter(
          (other) =>
            reasons.has(other.id) &&
            other.host !== undefined &&
            other.host === job.host &&
            other.vcenter === job.vcenter &&
            other.lane === job.lane &&
            other.queuedAt < job.queuedAt,
        );
        expect(passed).toEqual([]);
      }
    }),
    { numRuns: 500 },
  );
});

it('starves none: a job comes to its turn however many smaller ones come after it', () => {
  fc.assert(
    fc.property(
      anyLimits,
      fc.array(anyLoad, { minLength: 1, maxLength: 6 }),
      fc.infiniteStream(anyLoad),
      (limits, first, later) => {
        let queue = first.map((one) => waiting(0, one));
        const target = waiting(5, { host: 'a', vcenter: 'vc1' });
        queue.push(target);
        let running: WaitingJob[] = [];
        // Each turn the oldest running job ends, and two new small ones come for the same host.
        for (let turn = 0; turn < 40; turn += 1) {
          const { release } = plan(queue, running, limits);
          if (release.includes(target.id)) return;
          running = [...running, ...queue.filter((job) => release.includes(job.id))].slice(1);
          queue = queue.filter((job) => !release.includes(job.id));
          queue.push(waiting(1, { host: 'a', vcenter: 'vc1' }), waiting(0, later.next().value as Load));
        }
        expect.fail('the job never started');
      },
    ),
    { numRuns: 200 },
  );
});
