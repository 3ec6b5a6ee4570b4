import { inject, expect, it } from 'vitest';
import { ended, hyperctl, hyperctlJson, startJob } from './site/index.js';

it('hyperctl audit: who asked for what, done or refused', async () => {
  const id = await startJob('audit-1');
  await ended(id);
  expect((await hyperctl(['cancel', '--job', id])).exitCode).toBe(1);
  const table = await hyperctl(['audit', '--target', id, '--since', '1h']);
  expect(table).toMatchObject({ exitCode: 0, stderr: '' });
  const [head, cancelled, asked] = table.stdout.split('\n');
  expect(head).toMatch(/^TIME +CALLER +ACTION +TARGET +ANSWER +ROLE +FROM$/);
  expect(cancelled).toMatch(new RegExp(`^\\S+Z +local +cancel +${id} +409 STATE_CONFLICT +admin +127\\.0\\.0\\.1$`));
  expect(asked).toMatch(new RegExp(`^\\S+Z +local +convert +${id} +202 +admin`));

  const { entries } = await hyperctlJson<{ entries: object[] }>([
    'audit',
    `--target=${id}`,
    '--action=convert',
    '--caller=local',
    '--limit=5',
  ]);
  expect(entries).toMatchObject([{ action: 'convert', target: id, status: 202 }]);
  expect(JSON.stringify(entries)).not.toContain(inject('site').vcenter.password);
  expect((await hyperctl(['audit', '--target', id, '--until', '2020-01-01'])).stdout).toBe('Nothing.');
});

it('hyperctl audit is not for everybody, and wants times that are some', async () => {
  const { securedUrl } = inject('site');
  const denied = await hyperctl(['audit'], { HYPER2KVM_URL: securedUrl, HYPER2KVM_TOKEN: 'none-of-theirs' });
  expect(denied).toMatchObject({ exitCode: 5, stdout: '' });
  expect(denied.stderr).toContain('UNAUTHENTICATED');
  const since = await hyperctl(['audit', '--since', 'later']);
  expect(since).toMatchObject({ exitCode: 2, stdout: '' });
});
