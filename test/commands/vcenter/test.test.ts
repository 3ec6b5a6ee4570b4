import { expect, it } from 'vitest';
import { hyperctl, hyperctlJson } from '../site/index.js';
import { store } from './connections.js';

it('hyperctl vcenter test: logs in and looks at privileges; a wrong password is denied', async () => {
  await store('test-prod');
  const tested = await hyperctl(['vcenter', 'test', 'test-prod']);
  expect(tested).toMatchObject({ exitCode: 0, stderr: '' });
  expect(tested.stdout).toMatch(
    /^✅ Logged in: VMware vCenter Server \d.*\n✅ Every privilege that a migration needs is held/,
  );
  expect(await hyperctlJson(['vcenter', 'test', 'test-prod'])).toMatchObject({ ok: true, missing: [] });

  await store('test-wrong', 'a wrong one');
  const denied = await hyperctl(['vcenter', 'test', 'test-wrong']);
  expect(denied).toMatchObject({ exitCode: 5, stdout: '' });
  expect(denied.stderr).toContain('VCENTER_LOGIN');
  const near = await hyperctl(['vcenter', 'test', 'test-prd']);
  expect(near.exitCode).toBe(4);
  expect(near.stderr).toContain('"test-prod"');
});
