import { expect, it } from 'vitest';
import { oneError } from './one-error.js';
import { ended, hyperctl, hyperctlJson, job, startJob } from './site/index.js';

it('hyperctl import: defines the result, and says how to start it', async () => {
  const id = await startJob('import-1');
  await ended(id);
  const ran = await hyperctl(['import', '--vm', 'import-1']);
  expect(ran).toEqual({
    exitCode: 0,
    stdout: '✅ imported is defined (qemu:///system)\nStart it: virsh --connect qemu:///system start imported',
    stderr: '',
  });
  // The end of the job speaks of it from now on.
  const status = await hyperctl(['status', '--job', id]);
  expect(status.stdout).toContain(
    '1. It is defined in libvirt. Start it:\n   virsh --connect qemu:///system start imported',
  );
  expect(status.stdout).not.toContain('virt-install');
  const started = await hyperctlJson<object>(['import', '--job', id, '--start']);
  expect(started).toMatchObject({ status: 'completed', report: { libvirt_domain: 'imported', started: true } });
  expect((await hyperctl(['status', '--job', id])).stdout).toContain(
    '1. It runs in libvirt. See its console:\n   virsh --connect qemu:///system console imported',
  );
});

it('hyperctl import: says nothing with --quiet, waits for nothing with --detach, and says what is wrong', async () => {
  const [id, refused] = await Promise.all([startJob('import-1'), startJob('import-2-refused')]);
  await Promise.all([ended(id), ended(refused)]);
  expect(await hyperctl(['import', '--job', id, '-q'])).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  expect((await hyperctl(['import', '--job', id, '--detach'])).stdout).toBe(
    `Asked for. See the result: hyperctl status --job ${id}`,
  );

  const error = await oneError(1, ['import', '--job', refused]);
  expect(error).toMatch(/^Error: libvirt refused: no network default\n[\s\S]*code: +LIBVIRT/);
  // The import is told in the trace of its job.
  expect(error).toContain(`  job:   ${refused}\n`);
  expect(error).toContain(`  trace: ${(await job(refused)).trace_id}`);
  expect(await oneError(4, ['import', '--vm', 'import-0'])).toContain('there is no job of a VM named import-0');
  expect(await oneError(2, ['import'])).toContain('which job?');
});
