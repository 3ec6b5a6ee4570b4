import { expect, it } from 'vitest';
import { hyperctl } from '../site/index.js';
import { store } from './connections.js';

it('hyperctl vcenter remove: it is gone, and a name that is none has near ones', async () => {
  await store('remove-prod');
  const near = await hyperctl(['vcenter', 'remove', 'remove-prid']);
  expect(near).toMatchObject({ exitCode: 4, stdout: '' });
  expect(near.stderr).toContain('There is no vCenter connection remove-prid; did you mean "remove-prod"?');
  expect(await hyperctl(['vcenter', 'remove', 'remove-prod'])).toEqual({
    exitCode: 0,
    stdout: 'Removed remove-prod.',
    stderr: '',
  });
  expect((await hyperctl(['vcenter'])).stdout).not.toContain('remove-prod');
  expect((await hyperctl(['vcenter', 'remove', 'remove-prod', '--json'])).exitCode).toBe(4);
});
