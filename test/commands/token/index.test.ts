import { expect, inject, it } from 'vitest';
import { hyperctl } from '../site/index.js';

it('hyperctl token lists the tokens', async () => {
  const { securedUrl, adminToken } = inject('site');
  const listed = await hyperctl(['token'], { HYPER2KVM_URL: securedUrl, HYPER2KVM_TOKEN: adminToken });
  expect(listed).toMatchObject({ exitCode: 0, stderr: '' });
  expect(listed.stdout).toMatch(/^config +admin +never /m);
  expect((await hyperctl(['token', '--help'])).stdout).toContain('token revoke');
});
