import { expect, inject, it } from 'vitest';
import { putAside } from '../letters.js';
import { hyperctl } from '../site/index.js';

it('hyperctl dead-letters lists them', async () => {
  await putAside(inject('site').nats, {
    subject: 'task.verify.any.job-index000001',
    body: {},
    reason: 'no such field',
  });
  const table = await hyperctl(['dead-letters']);
  expect(table).toMatchObject({ exitCode: 0, stderr: '' });
  expect(table.stdout).toMatch(/ job-index000001 +converter +no such field$/m);
  expect((await hyperctl(['dead-letters', '--help'])).stdout).toContain('dead-letters discard');
});
