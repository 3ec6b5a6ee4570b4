import { expect, inject, it } from 'vitest';
import { hyperctl } from '../site/index.js';

it('hyperctl token revoke: nothing can be asked with it any more', async () => {
  const { securedUrl, adminToken } = inject('site');
  const admin = { HYPER2KVM_URL: securedUrl, HYPER2KVM_TOKEN: adminToken };
  const token = (await hyperctl(['token', 'create', 'revoke-ann', '--role', 'viewer', '-q'], admin)).stdout;
  const own = { ...admin, HYPER2KVM_TOKEN: token };
  expect((await hyperctl(['workers'], own)).exitCode).toBe(0);
  expect(await hyperctl(['token', 'revoke', 'revoke-ann'], admin)).toEqual({
    exitCode: 0,
    stdout: 'Token revoke-ann (viewer) is revoked.',
    stderr: '',
  });
  const gone = await hyperctl(['workers'], own);
  expect(gone).toMatchObject({ exitCode: 5, stdout: '' });
  expect(gone.stderr).toContain('UNAUTHENTICATED');
  expect((await hyperctl(['token', 'revoke', 'revoke-ann'], admin)).exitCode).toBe(4);
  expect((await hyperctl(['token', 'revoke'], admin)).exitCode).toBe(2);
});
