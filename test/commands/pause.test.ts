import { afterAll, beforeAll, expect, it } from 'vitest';
import { startOwnFleet, type OwnFleet } from './own-fleet.js';

let fleet: OwnFleet;
beforeAll(async () => {
  fleet = await startOwnFleet({});
});
afterAll(() => fleet?.stop());

it('hyperctl pause: workers take nothing new until they are resumed', async () => {
  const paused = await fleet.hyperctl(['pause', 'converter-1']);
  expect(paused).toEqual({
    exitCode: 0,
    stdout: 'converter-1: paused; nothing runs on it\nTo go on: hyperctl resume converter-1',
    stderr: '',
  });
  const id = await fleet.client.convert('waits');
  await fleet.client.reaches(id, 'exported');
  expect((await fleet.hyperctl(['pause', 'converter-1'])).stdout).toContain('converter-1: was paused already');
  expect((await fleet.client.job(id)).status).toBe('exported');

  const { workers } = await fleet.json<{ workers: object[] }>(['pause', '--all']);
  expect(workers).toMatchObject([
    { worker_id: 'exporter-1', status: 'paused' },
    { worker_id: 'converter-1', status: 'paused' },
  ]);
  expect((await fleet.hyperctl(['pause', '--daemon', 'go', '--quiet'])).stdout).toBe('');
});

it('hyperctl pause: one that is unknown, and nobody is paused', async () => {
  await fleet.hyperctl(['resume', '--all']);
  const unknown = await fleet.hyperctl(['pause', 'exporter-1', 'convrter-1']);
  expect(unknown).toMatchObject({ exitCode: 4, stdout: '' });
  expect(unknown.stderr).toContain('no worker convrter-1 is running; did you mean "converter-1"?');
  expect((await fleet.hyperctl(['workers'])).stdout).not.toContain('paused');
  for (const args of [['pause'], ['pause', '--all', '--daemon', 'go'], ['pause', 'converter-1', '--all']])
    expect(await fleet.hyperctl(args)).toMatchObject({ exitCode: 2, stdout: '' });
});
