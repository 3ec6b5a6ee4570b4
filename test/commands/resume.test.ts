import { afterAll, beforeAll, expect, it } from 'vitest';
import { startOwnFleet, type OwnFleet } from './own-fleet.js';

let fleet: OwnFleet;
beforeAll(async () => {
  fleet = await startOwnFleet({});
});
afterAll(() => fleet?.stop());

it('hyperctl resume: what waited for a paused worker is done', async () => {
  await fleet.hyperctl(['pause', '--daemon', 'converter']);
  const id = await fleet.client.convert('waits');
  await fleet.client.reaches(id, 'exported');
  expect(await fleet.hyperctl(['resume', 'converter-1'])).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^converter-1: takes work again; /),
    stderr: '',
  });
  await fleet.client.reaches(id, 'completed');
  const all = await fleet.hyperctl(['resume', '--all']);
  expect(all.stdout).toBe(
    'exporter-1: was running already; nothing waits\nconverter-1: was running already; nothing waits',
  );
  const { workers } = await fleet.json<{ workers: object[] }>(['resume', '--daemon', 'python']);
  expect(workers).toMatchObject([{ worker_id: 'converter-1', status: 'running' }]);
});

it('hyperctl resume: nobody, and somebody who is not there', async () => {
  expect((await fleet.hyperctl(['resume'])).exitCode).toBe(2);
  const unknown = await fleet.hyperctl(['resume', 'kvm01-converter']);
  expect(unknown).toMatchObject({ exitCode: 4, stdout: '' });
  expect(unknown.stderr).toContain('there are: exporter-1, converter-1');
});
