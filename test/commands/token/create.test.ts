import { expect, inject, it } from 'vitest';
import { hyperctl, hyperctlJson } from '../site/index.js';

const secured = (token: string): Record<string, string> => ({
  HYPER2KVM_URL: inject('site').securedUrl,
  HYPER2KVM_TOKEN: token,
});

it('hyperctl token create: a token that may what its role may, shown once', async () => {
  const admin = secured(inject('site').adminToken);
  const made = await hyperctl(['token', 'create', 'create-ann', '--role', 'viewer', '--expires', '90d'], admin);
  expect(made).toMatchObject({ exitCode: 0, stderr: '' });
  expect(made.stdout).toMatch(/^Token of create-ann \(viewer; expires: .* in (89|90) d/);
  const [token = ''] = /h2k_[\w-]+/.exec(made.stdout) ?? [];
  expect((await hyperctl(['list', '--limit', '1'], secured(token))).exitCode).toBe(0);
  const denied = await hyperctl(['pause', '--all'], secured(token));
  expect(denied).toMatchObject({ exitCode: 5, stdout: '' });
  expect(denied.stderr).toContain('FORBIDDEN');

  const quiet = await hyperctl(['token', 'create', 'create-ci', '--role', 'operator', '-q'], admin);
  expect(quiet.stdout).toMatch(/^h2k_[\w-]+$/);
  expect(await hyperctlJson(['token', 'create', 'create-bot', '--role', 'admin'], admin)).toMatchObject({
    name: 'create-bot',
    role: 'admin',
    expires_at: null,
  });
  const twice = await hyperctl(['token', 'create', 'create-ci', '--role', 'viewer'], admin);
  expect(twice).toMatchObject({ exitCode: 1, stdout: '' });
  expect(twice.stderr).toContain('CONFLICT');
  for (const args of [['no/name', '--role', 'viewer'], ['create-x', '--role', 'king'], ['create-x']])
    expect(await hyperctl(['token', 'create', ...args], admin)).toMatchObject({ exitCode: 2, stdout: '' });
});
