import { expect, inject, it } from 'vitest';
import { hyperctl, hyperctlJson } from '../site/index.js';

/** Nothing but what the command line says, and the password. */
const bare = (password: string): Record<string, string> => ({
  VSPHERE_SERVER: '',
  VSPHERE_USERNAME: '',
  VSPHERE_CA_FILE: '',
  VSPHERE_PASSWORD: password,
});

it('hyperctl vcenter add: a login by a name, with which VMs are asked for', async () => {
  const { server, username, password, thumbprint } = inject('site').vcenter;
  const login = ['--vcenter', server, '--username', username, '--thumbprint', thumbprint];
  const added = await hyperctl(['vcenter', 'add', 'add-prod', ...login], bare(password));
  expect(added).toMatchObject({ exitCode: 0, stderr: '' });
  expect(added.stdout).toBe(
    `Stored add-prod: ${username} at ${server}\nTry it: hyperctl vcenter test add-prod\n` +
      'Use it: hyperctl convert --vcenter add-prod --vm …',
  );
  const vms = await hyperctl(['vms', '--vcenter', 'add-prod'], bare(''));
  expect(vms.exitCode, vms.stderr).toBe(0);
  expect(vms.stdout).toContain('web-server-01');
  const document = await hyperctlJson(['vcenter', 'add', 'add-lab', ...login], bare(password));
  expect(document).toMatchObject({ name: 'add-lab', trust: 'thumbprint', origin: 'stored' });
  expect(JSON.stringify(document)).not.toContain(password);

  const twice = await hyperctl(['vcenter', 'add', 'add-prod', ...login], bare(password));
  expect(twice).toMatchObject({ exitCode: 1, stdout: '' });
  expect(twice.stderr).toContain('There is a vCenter connection add-prod already');
  const without = await hyperctl(['vcenter', 'add', 'add-other', ...login], bare(''));
  expect(without).toMatchObject({ exitCode: 2, stdout: '' });
  expect(without.stderr).toContain('a password is needed');
  expect((await hyperctl(['vcenter', 'add'], bare(password))).exitCode).toBe(2);
});
