import { expect, it } from 'vitest';
import { hyperctl } from '../site/index.js';

it('hyperctl batches lists them, and its help names what else there is', async () => {
  const listed = await hyperctl(['batches']);
  expect(listed).toMatchObject({ exitCode: 0, stderr: '' });
  expect(listed.stdout).toMatch(/^(BATCH ID +STATUS|No batches\.)/);
  expect((await hyperctl(['batches', '--help'])).stdout).toContain('batches watch');
});
