import { expect, it } from 'vitest';
import { hyperctl } from '../site/index.js';
import { store } from './connections.js';

it('hyperctl vcenter lists the connections', async () => {
  await store('index-prod');
  const listed = await hyperctl(['vcenter']);
  expect(listed).toMatchObject({ exitCode: 0, stderr: '' });
  expect(listed.stdout).toMatch(/^index-prod /m);
  expect((await hyperctl(['vcenter', '--help'])).stdout).toContain('vcenter test');
});
