import { JobError } from '@hyper2kvm/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { putAside } from '../letters.js';
import { startOwnFleet, type OwnFleet } from '../own-fleet.js';

let fleet: OwnFleet;
let mended = false;
const converting = async (): Promise<void> => {
  if (!mended) throw new JobError('CONVERSION_STEP', 'out of order', { retryable: false });
};
beforeAll(async () => {
  fleet = await startOwnFleet({ quiet: true, converting });
});
afterAll(() => fleet?.stop());

it('hyperctl dead-letters resend: the job is tried again; what would change nothing stays, and says why', async () => {
  const job = await fleet.client.convert('put-aside');
  await fleet.client.reaches(job, 'failed');
  const letter = { subject: `conversion.requested.normal.any.${job}`, body: 'no JSON', reason: 'no JSON' };
  const [first = '', second = ''] = await putAside(fleet.stack.nats.servers, letter, letter);
  mended = true;
  expect(await fleet.hyperctl(['dead-letters', 'resend', first])).toEqual({
    exitCode: 0,
    stdout: `${first}: ${job} is tried again.\n1 dead letter sent again.`,
    stderr: '',
  });
  await fleet.client.reaches(job, 'completed');

  const some = await fleet.hyperctl(['dead-letters', 'resend', second, first]);
  expect(some).toMatchObject({ exitCode: 1, stdout: '0 dead letters sent again.' });
  expect(some.stderr).toMatch(
    new RegExp(`^Not sent again: ${second}: .*drop the message.* \\(STATE_CONFLICT\\)$`, 'm'),
  );
  expect(some.stderr).toMatch(new RegExp(`^Not sent again: ${first}: .* \\(NOT_FOUND\\)$`, 'm'));
  const unattended = await fleet.hyperctl(['dead-letters', 'resend', '--all']);
  expect(unattended).toMatchObject({ exitCode: 2, stdout: '' });
  expect(unattended.stderr).toContain('add --yes');
  const all = await fleet.json(['dead-letters', 'resend', '--all', '--yes']);
  expect(all).toMatchObject({ resent: [], refused: [{ id: second, code: 'STATE_CONFLICT' }] });
  expect((await fleet.hyperctl(['dead-letters', 'resend', first])).exitCode).toBe(4);
  expect((await fleet.hyperctl(['dead-letters', 'resend'])).exitCode).toBe(2);
});
