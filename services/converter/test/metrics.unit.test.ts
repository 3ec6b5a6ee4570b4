import { registry, runGuarded } from '@hyper2kvm/runtime';
import { expect, it } from 'vitest';
import { countProof, programLabel, whileActive } from '../src/metrics.js';
import { stepReporter } from '../src/progress.js';

const value = async (line: string): Promise<number> => {
  const found = (await registry.metrics()).split('\n').find((one) => one.startsWith(`${line} `));
  return found === undefined ? Number.NaN : Number(found.split(' ').at(-1));
};
const steps = (status: string): Promise<number> =>
  value(`hyper2kvm_step_duration_seconds_count{step="fstab",status="${status}"}`);

it('counts steps by their end, but for those that were told to stop', async () => {
  const stop = new AbortController();
  const reporter = stepReporter(
    {
      jobId: 'job-metrics1',
      attempt: 1,
      epoch: 1,
      signal: stop.signal,
      assertOwner: async () => {},
      progress: () => {},
      log: () => {},
    },
    ['fstab'],
  );
  expect([await steps('success'), await steps('failed')]).toEqual([0, 0]);
  await reporter.step('fstab', async () => {});
  await expect(reporter.step('fstab', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  const stopped = reporter.step('fstab', async () => {
    stop.abort(new Error('stopped'));
    stop.signal.throwIfAborted();
  });
  await expect(stopped).rejects.toThrow('stopped');
  expect([await steps('success'), await steps('failed')]).toEqual([1, 1]);
});

it('knows how many conversions run', async () => {
  const seen = await whileActive(() => value('hyper2kvm_active_conversions'));
  await expect(whileActive(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  expect([seen, await value('hyper2kvm_active_conversions')]).toEqual([1, 0]);
});

it('counts proofs, and children by programs of a closed list', async () => {
  countProof(true);
  countProof(false);
  expect(await value('hyper2kvm_boot_proofs_total{result="booted"}')).toBe(1);
  expect(await value('hyper2kvm_boot_proofs_total{result="failed"}')).toBe(1);
  expect(['qemu-img', 'prlimit', '/images/vm.qcow2'].map(programLabel)).toEqual(['qemu-img', 'qemu-img', 'other']);
  await runGuarded('/bin/true', []);
  await runGuarded('gzip', ['--version']);
  expect(await value('hyper2kvm_child_process_duration_seconds_count{program="other"}')).toBe(1);
  expect(await value('hyper2kvm_child_process_duration_seconds_count{program="gzip"}')).toBe(1);
});
