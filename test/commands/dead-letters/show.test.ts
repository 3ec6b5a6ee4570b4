import { expect, inject, it } from 'vitest';
import { putAside } from '../letters.js';
import { hyperctl, hyperctlJson } from '../site/index.js';

it('hyperctl dead-letters show: its headers and body, without secrets', async () => {
  const body = { job_id: 'job-shown000001', source: { password: 'geheim', server: 'vc' } };
  const [id = ''] = await putAside(inject('site').nats, {
    subject: 'task.import.any.job-shown000001',
    body,
    reason: 'nobody knows it',
  });
  const shown = await hyperctl(['dead-letters', 'show', id]);
  expect(shown).toMatchObject({ exitCode: 0, stderr: '' });
  expect(shown.stdout).toMatch(/^Subject: +task\.import\.any\.job-shown000001$/m);
  expect(shown.stdout).toMatch(/^Reason: +nobody knows it$/m);
  expect(shown.stdout).toContain('"server": "vc"');
  expect(shown.stdout).not.toContain('geheim');
  expect(shown.stdout).toContain(`hyperctl dead-letters resend ${id}`);
  expect(await hyperctlJson(['dead-letters', 'show', id])).toMatchObject({ id, about: 'job-shown000001' });

  const none = await hyperctl(['dead-letters', 'show', '999999']);
  expect(none).toMatchObject({ exitCode: 4, stdout: '' });
  expect(none.stderr).toContain('There is no dead letter 999999');
  expect((await hyperctl(['dead-letters', 'show', 'seven'])).exitCode).toBe(2);
});
