import { expect, inject, it } from 'vitest';
import { hyperctl, hyperctlJson } from '../site/index.js';
import { store } from './connections.js';

it('hyperctl vcenter list: connections without their passwords', async () => {
  await store('list-prod');
  const { server, username, password } = inject('site').vcenter;
  const table = await hyperctl(['vcenter', 'list']);
  expect(table).toMatchObject({ exitCode: 0, stderr: '' });
  expect(table.stdout).toMatch(/^NAME +SERVER +USERNAME +DATACENTER +CERTIFICATE +FROM\n/);
  const line = table.stdout.split('\n').find((one) => one.startsWith('list-prod '));
  expect(line?.split(/ {2,}/)).toEqual(['list-prod', server, username, 'by its own CA', 'stored']);
  const { vcenters } = await hyperctlJson<{ vcenters: { name: string }[] }>(['vcenter', 'list']);
  expect(vcenters.map(({ name }) => name)).toContain('list-prod');
  expect(JSON.stringify(vcenters)).not.toContain(password);
});
