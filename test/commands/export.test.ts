import { expect, it } from 'vitest';
import { oneError } from './one-error.js';
import { hyperctl, hyperctlJson, job } from './site/index.js';

it('hyperctl export: fetches the disks, and rests there until it is told to convert', async () => {
  const ran = await hyperctl(['export', '--vm', 'export-1']);
  expect(ran.exitCode, ran.stderr).toBe(0);
  expect(ran.stderr).toBe('');
  expect(ran.stdout).toMatch(/^\S+Z Export of export-1, job job-\w+$/m);
  expect(ran.stdout).not.toContain('Queued for conversion');
  expect(ran.stdout).toContain('✅ Export Complete');
  const id = /^ {3}hyperctl convert --job (\S+)$/m.exec(ran.stdout)?.[1] ?? '';
  expect(await job(id)).toMatchObject({ status: 'exported', conversion: { status: 'waiting' } });

  const document = await hyperctlJson<object>(['export', '--vm', 'export-2']);
  expect(document).toMatchObject({ status: 'exported', vm_name: 'export-2' });
  const detached = await hyperctl(['export', '--vm', 'export-3', '--detach', '--quiet']);
  expect(detached).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  expect(await oneError(4, ['export', '--vm', 'export-0'])).toContain('VM_NOT_FOUND');
  expect(await oneError(2, ['export', '--vm', 'export-1', '--verify-boot'])).toContain('--verify-boot');
});
