import { describe, expect, it } from 'vitest';
import { oneError } from './one-error.js';
import { hyperctl, hyperctlJson, job, startJob } from './site/index.js';

describe('hyperctl bandwidth', () => {
  it('limits a job, and takes the limit away', async () => {
    const id = await startJob('bandwidth-1', '--at', '+2h');
    expect(await hyperctl(['bandwidth', '--job', id, '50M'])).toEqual({
      exitCode: 0,
      stdout: `Job ${id}: at most 50 MB/s from now on`,
      stderr: '',
    });
    expect((await job(id)).bandwidth_bytes_per_second).toBe(50_000_000);
    expect(await hyperctlJson(['bandwidth', '--vm', 'bandwidth-1', 'unlimited'])).toEqual({
      job: id,
      bandwidth_bytes_per_second: null,
    });
    expect((await job(id)).bandwidth_bytes_per_second).toBeNull();
    expect((await hyperctl(['cancel', '--job', id, '--quiet'])).exitCode).toBe(0);
  });

  it('says which exporters there are, and what a rate is', async () => {
    expect(await oneError(4, ['bandwidth', '--worker', 'nobody', '100M'])).toMatch(
      /No exporter nobody is running; there are: \S+-exporter/,
    );
    expect(await oneError(2, ['bandwidth', '--vm', 'bandwidth-1', 'fast'])).toMatch(
      /^Error: RATE: "fast" is no rate\n {2}try: .*200M/,
    );
    expect(await oneError(2, ['bandwidth', '--vm', 'x', '--worker', 'y', '1M'])).toContain(
      'Error: --vm and --worker cannot be given together\n',
    );
  });
});
