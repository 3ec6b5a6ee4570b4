import { describe, expect, test } from 'vitest';
import { Bandwidth, splitBandwidth } from '../src/export/index.js';

describe('splitting a bandwidth', () => {
  test.each([
    { what: 'nothing is limited', disks: ['a', 'b'], worker: null, jobs: {}, rates: [null, null] },
    { what: 'evenly over the disks of a job', disks: ['a', 'a'], worker: null, jobs: { a: 100 }, rates: [50, 50] },
    { what: 'evenly over all disks of a worker', disks: ['a', 'a', 'b'], worker: 90, jobs: {}, rates: [30, 30, 30] },
    {
      what: 'what one job cannot use goes to the other',
      disks: ['a', 'b'],
      worker: 100,
      jobs: { a: 20 },
      rates: [20, 80],
    },
    { what: 'whatever the order', disks: ['b', 'a'], worker: 100, jobs: { a: 20 }, rates: [80, 20] },
    { what: 'the worker is the lower limit', disks: ['a', 'b'], worker: 10, jobs: { a: 100 }, rates: [5, 5] },
    { what: 'a lifted limit is none', disks: ['a'], worker: null, jobs: { a: null }, rates: [null] },
  ])('$what', ({ disks, worker, jobs, rates }) => {
    expect(splitBandwidth(disks, worker, new Map(Object.entries(jobs)))).toEqual(rates);
  });
});

const disk = (): { rates: (number | null)[]; setRate(rate: number | null): void } => {
  const rates: (number | null)[] = [];
  return { rates, setRate: (rate) => void rates.push(rate) };
};

describe('a worker’s bandwidth', () => {
  test('is split anew when a disk begins or ends, and when a limit changes', () => {
    const bandwidth = new Bandwidth(100);
    const [one, two] = [disk(), disk()];
    bandwidth.begin('job-a', null);
    const leave = bandwidth.add('job-a', one);
    bandwidth.add('job-a', two);
    bandwidth.setWorker(60);
    bandwidth.setJob('job-a', 20);
    leave();
    expect(one.rates).toEqual([100, 50, 30, 10]);
    expect(two.rates).toEqual([50, 30, 10, 20]);
  });

  test('knows a change that came before the job began, and forgets it with the job', () => {
    const bandwidth = new Bandwidth();
    bandwidth.setJob('job-a', 20);
    const end = bandwidth.begin('job-a', 70);
    const first = disk();
    bandwidth.add('job-a', first)();
    expect(first.rates).toEqual([20]);
    end();
    bandwidth.begin('job-a', 70);
    const second = disk();
    bandwidth.add('job-a', second);
    expect(second.rates).toEqual([70]);
  });
});
