import { expect, it } from 'vitest';
import { stepReporter } from '../src/progress.js';

function reporter() {
  const percent: number[] = [];
  const work = {
    jobId: 'job-progress1',
    attempt: 1,
    epoch: 1,
    signal: new AbortController().signal,
    assertOwner: async () => {},
    progress: ({ percent_complete: value }: { percent_complete: number }) => void percent.push(value),
    log: () => {},
  };
  return { percent, steps: stepReporter(work, ['inspect', 'fstab', 'commit']) };
}

it('never goes back when the plan turns out to be longer, and ends at 100', async () => {
  const { percent, steps } = reporter();
  await steps.step('inspect', async () => {});
  steps.plan(['virt-v2v', 'domain', 'commit']);
  for (const name of ['virt-v2v', 'domain', 'commit'] as const) await steps.step(name, async (done) => done(0.5));
  expect(percent).toEqual(percent.toSorted((a, b) => a - b));
  expect(percent.at(-1)).toBe(100);
});

it('goes on from where it is when the plan turns out to be shorter', async () => {
  const { percent, steps } = reporter();
  await steps.step('inspect', async () => {});
  const reached = percent.at(-1) ?? 0;
  steps.plan(['commit']);
  await steps.step('commit', async (done) => done(0.5));
  expect(percent.slice(2)).toEqual([reached, (reached + 100) / 2, 100].map((value) => Math.round(value * 10) / 10));
});
