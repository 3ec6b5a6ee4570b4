import { expect, it } from 'vitest';
import { oneError } from './one-error.js';
import { ended, hyperctl, hyperctlJson, startJob } from './site/index.js';

it('hyperctl verify: 0 where all is as recorded, 1 where a segment differs', async () => {
  const [fine, differs] = await Promise.all([startJob('verify-1'), startJob('verify-2-differs')]);
  await Promise.all([ended(fine), ended(differs)]);

  const ran = await hyperctl(['verify', '--vm', 'verify-1']);
  expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
  expect(ran.stdout).toBe('✅ 1 file: all as recorded (1s)\n   ✅ /out/verify-1/disk1.qcow2: 128 segments identical');
  expect(await hyperctl(['verify', '--job', fine, '--quiet'])).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  const last = await hyperctlJson<object>(['verify', '--job', fine, '--last']);
  expect(last).toMatchObject({ status: 'completed', report: { identical: true } });
  expect((await hyperctl(['verify', '--job', fine, '--detach'])).stdout).toBe(
    `Started. See the result: hyperctl verify --job ${fine} --last`,
  );

  const wrong = await hyperctl(['verify', '--job', differs]);
  expect(wrong).toMatchObject({ exitCode: 1, stderr: '' });
  expect(wrong.stdout).toContain('❌ 1 of 1 file not as recorded');
  expect(wrong.stdout).toContain('differs first in segment 17 of 128: bytes 1073741824 to 1140850687 of the disk');

  expect(await oneError(4, ['verify', '--vm', 'verify-0'])).toContain('there is no job of a VM named verify-0');
  expect(await oneError(2, ['verify', '--job', fine, '--last', '--detach'])).toContain('--detach');
});
