import { afterAll, beforeAll, expect, it } from 'vitest';
import { Terminal } from '../../support/tmux.js';
import { putAside } from '../letters.js';
import { startOwnFleet, type OwnFleet } from '../own-fleet.js';

let fleet: OwnFleet;
beforeAll(async () => {
  fleet = await startOwnFleet();
});
afterAll(() => fleet?.stop());

const some = (count: number): Promise<string[]> =>
  putAside(
    fleet.stack.nats.servers,
    ...Array.from({ length: count }, (_, index) => ({
      subject: `task.verify.any.job-lost0000${index}`,
      body: {},
      reason: 'lost',
    })),
  );
const left = async (): Promise<number> => (await fleet.json<{ total: number }>(['dead-letters'])).total;

it('hyperctl dead-letters discard: asks on a terminal, and elsewhere wants --yes for all', async () => {
  const [first = '', second = ''] = await some(4);
  const terminal = await Terminal.open({ columns: 60, env: { ...fleet.env } });
  await terminal.run(`hyperctl dead-letters discard ${first}`);
  await terminal.waitFor('Delete 1 dead letter for good? [y/N]');
  await terminal.run('n');
  expect(await terminal.waitFor('[1] $')).toContain('nothing was done');
  expect(await left()).toBe(4);
  await terminal.run(`clear; hyperctl dead-letters discard ${first}`);
  await terminal.waitFor('[y/N]');
  await terminal.run('y');
  expect(await terminal.waitFor('[0] $')).toContain('1 dead letter deleted.');

  const unattended = await fleet.hyperctl(['dead-letters', 'discard', '--all']);
  expect(unattended).toMatchObject({ exitCode: 2, stdout: '' });
  expect(unattended.stderr).toContain('add --yes');
  const document = await fleet.json(['dead-letters', 'discard', second, first]);
  expect(document).toMatchObject({ discarded: [{ id: second }], refused: [{ id: first, code: 'NOT_FOUND' }] });
  expect(await fleet.hyperctl(['dead-letters', 'discard', '--all', '--yes', '--quiet'])).toEqual({
    exitCode: 0,
    stdout: '',
    stderr: '',
  });
  expect(await left()).toBe(0);
  expect((await fleet.hyperctl(['dead-letters', 'discard', '--all', '--yes'])).stdout).toBe('No dead letters.');
  expect((await fleet.hyperctl(['dead-letters', 'discard', 'x'])).exitCode).toBe(2);
});
