import { expect, inject, it } from 'vitest';
import { hyperctl, hyperctlJson } from '../site/index.js';

it('hyperctl token list: names and roles, never the tokens', async () => {
  const { securedUrl, adminToken } = inject('site');
  const admin = { HYPER2KVM_URL: securedUrl, HYPER2KVM_TOKEN: adminToken };
  const token = (await hyperctl(['token', 'create', 'list-ann', '--role', 'operator', '-q'], admin)).stdout;
  const table = await hyperctl(['token', 'list'], admin);
  expect(table).toMatchObject({ exitCode: 0, stderr: '' });
  expect(table.stdout).toMatch(/^NAME +ROLE +EXPIRES +LAST USED +CREATED +BY\n/);
  expect(table.stdout).toMatch(/^list-ann +operator +never +never +\d{4}-\d\d-\d\d +config$/m);
  expect(table.stdout).not.toContain(token);
  const { tokens } = await hyperctlJson<{ tokens: object[] }>(['token', 'list'], admin);
  expect(tokens).toContainEqual(expect.objectContaining({ name: 'list-ann', role: 'operator' }));
  const denied = await hyperctl(['token', 'list'], { ...admin, HYPER2KVM_TOKEN: token });
  expect([denied.exitCode, denied.stdout]).toEqual([5, '']);
});
