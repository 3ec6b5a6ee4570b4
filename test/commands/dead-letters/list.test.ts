import { expect, inject, it } from 'vitest';
import { putAside } from '../letters.js';
import { hyperctl, hyperctlJson } from '../site/index.js';

it('hyperctl dead-letters list: what nobody could handle, and why', async () => {
  const [id = ''] = await putAside(inject('site').nats, {
    subject: 'export.requested.low.any.job-listed00001',
    body: 'not JSON',
    reason: 'it is\u001b[31m no JSON',
  });
  const table = await hyperctl(['dead-letters', 'list', '--limit', '500']);
  expect(table).toMatchObject({ exitCode: 0, stderr: '' });
  expect(table.stdout).toMatch(/^ID +TIME +WHAT +ABOUT +FROM +REASON$/m);
  // What is hung on a message cannot steer the terminal.
  expect(table.stdout).toMatch(
    new RegExp(
      `^${id} +\\S+Z +export\\.requested\\.low\\.any\\.job-listed00001 +job-listed00001 +converter +it is\\[31m no JSON$`,
      'm',
    ),
  );
  const { dead_letters: letters, total } = await hyperctlJson<{ dead_letters: { id: string }[]; total: number }>([
    'dead-letters',
    'list',
    '--limit=1',
  ]);
  expect(letters).toHaveLength(1);
  expect(total).toBeGreaterThanOrEqual(1);
});
