import { expect, it } from 'vitest';
import { decideRemoval } from '../src/retention/artifacts.js';
import { toLetterDetail } from '../src/dead-letters/letter.js';
import { job, NOW } from './given.js';

const DAY_MS = 24 * 3_600_000;
const before = new Date(NOW.getTime() - 30 * DAY_MS);
const ended = new Date(NOW.getTime() - 31 * DAY_MS);
const failed = (changes = {}) =>
  job({ status: 'failed', phase: 'conversion', completedAt: ended, artifactDir: '/work/job-abc123', ...changes });
const cleanup = { remove_files: false, failures: 9, message: 'x', next_try_at: null };

it('has the images of a job go that ended long ago, and its row forget them', () => {
  const decision = decideRemoval(failed(), before, NOW);
  expect(decision?.patch).toMatchObject({
    artifactDir: null,
    artifact: null,
    cleanupAttempt: 1,
    cleanup: { status: 'queued', remove_files: true, files_only: true },
  });
  expect(decision?.messages[0]?.data).toMatchObject({ remove_files: true, files_only: true });
});

it('asks the source again only where something was left there', () => {
  const decision = decideRemoval(failed({ cleanup: { ...cleanup, status: 'failed' } }), before, NOW);
  expect(decision?.messages[0]?.data).not.toHaveProperty('files_only');
});

it.each([
  ['younger', { completedAt: new Date(before.getTime() + 1) }],
  ['without images', { artifactDir: null }],
  ['resting', { status: 'exported', completedAt: null }],
  ['tried again', { status: 'exported', completedAt: null }],
  ['completed, of which the images became the result', { status: 'completed', result: null }],
  ['cancelled', { status: 'cancelled' }],
  ['being cleared up', { cleanup: { ...cleanup, status: 'queued' } }],
  ['being verified', { verification: { status: 'queued', requested_at: 'x', report: null, failure: null } }],
])('leaves those of a job that is %s', (_, changes) => {
  expect(decideRemoval(failed(changes), before, NOW)).toBeUndefined();
});

it('shows a dead letter without secrets, whatever its body is', () => {
  const sealed = 'v1.key1.bm9uY2Vub25jZQ.Y2lwaGVydGV4dC1hbmQtdGFn';
  const letter = {
    seq: 7,
    subject: 'export.requested.low.any.job-abc123',
    headers: [['authorization', ['Bearer geheim1']]] as [string, string[]][],
    bytes: 3,
    reason: `refused https://user:geheim2@host/`,
    source: 'exporter',
    time: NOW,
  };
  const bodies = [
    JSON.stringify({ source: { password_sealed: sealed, password: 'geheim3' } }),
    JSON.stringify({
      hooks: [{ url: 'https://h.example.com/x?key=geheim8' }],
      callback_url: 'http://u:geheim9@h/?geheim',
    }),
    JSON.stringify({
      slack_webhook: 'https://chat.example.com/geheim',
      callback_url: 'https://cmdb.example.com/geheim',
    }),
    '{"slack_webhook":"https://chat.example.com/geheim", broken',
    `{"password": "geheim4", "api_token":"geheim5", broken ${sealed}`,
    JSON.stringify(`passphrase=geheim6 ${sealed}`),
    `secret: geheim7`,
  ];
  for (const body of bodies) {
    const shown = JSON.stringify(toLetterDetail({ ...letter, data: Buffer.from(body) }));
    expect(shown).not.toMatch(/geheim|Y2lwaGVydGV4dC1hbmQtdGFn/);
  }
  expect(toLetterDetail({ ...letter, data: null })).toMatchObject({ id: '7', about: 'job-abc123', data: null });
});
