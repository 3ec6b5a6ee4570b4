import { expect, inject, it } from 'vitest';
import { hyperctl, hyperctlJson } from '../site/index.js';
import { store } from './connections.js';

const shown = async (name: string): Promise<object | undefined> =>
  (await hyperctlJson<{ vcenters: { name: string }[] }>(['vcenter', 'list'])).vcenters.find((one) => one.name === name);

it('hyperctl vcenter update: what is not said stays, also its own CA', async () => {
  const { server, username, password, thumbprint } = inject('site').vcenter;
  await store('update-prod', 'a wrong one');
  const renewed = await hyperctl(['vcenter', 'update', 'update-prod', '--password'], { VSPHERE_PASSWORD: password });
  expect(renewed).toEqual({ exitCode: 0, stdout: `Changed update-prod: ${username} at ${server}`, stderr: '' });
  expect((await hyperctl(['vcenter', 'test', 'update-prod'])).exitCode).toBe(0);
  expect((await hyperctl(['vcenter', 'update', 'update-prod', '--datacenter', 'DC0'])).exitCode).toBe(0);
  expect(await shown('update-prod')).toMatchObject({ trust: 'ca', datacenter: 'DC0', username });

  const pinned = await hyperctlJson(['vcenter', 'update', 'update-prod', '--thumbprint', thumbprint]);
  expect(pinned).toMatchObject({ trust: 'thumbprint', thumbprint, datacenter: 'DC0' });
  expect((await hyperctl(['vcenter', 'test', 'update-prod'])).exitCode).toBe(0);
  expect(await hyperctl(['vcenter', 'update', 'update-prod'])).toMatchObject({ exitCode: 2, stdout: '' });
  const near = await hyperctl(['vcenter', 'update', 'update-prd', '--username', 'x']);
  expect(near).toMatchObject({ exitCode: 4, stdout: '' });
  expect(near.stderr).toContain('"update-prod"');
});
