import { NotificationStatus } from '@hyper2kvm/contracts';
import { expect, it } from 'vitest';
import { hyperctl, hyperctlJson } from '../site/index.js';

it('hyperctl notify status: channels with their targets, rules, quiet hours, and what waits', async () => {
  const ran = await hyperctl(['notify', 'status']);
  expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
  expect(ran.stdout).toMatch(/^CHANNEL +CONFIGURED +HELD +WAITING +TARGETS$/m);
  expect(ran.stdout).toMatch(/^email +yes +\d+ +\d+ +ops@example\.com$/m);
  expect(ran.stdout).toMatch(/^slack +yes +0 +\d+ +\S+$/m);
  expect(ran.stdout).toMatch(/^Rules:\n {2}never: job\.failed .*slack ops$/m);
  expect(ran.stdout).toMatch(/^Quiet hours: none$/m);
  expect(ran.stdout).not.toContain('geheim');
  const status = NotificationStatus.parse(await hyperctlJson(['notify', 'status']));
  expect(status.channels.map(({ channel }) => channel)).toEqual(['email', 'slack', 'webhook']);
});
