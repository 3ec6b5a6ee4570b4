import { JobError } from '@hyper2kvm/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Client } from './gateway-client.js';
import { startStack, type Stack } from './gateway-stack.js';
import { startWorkers } from './gateway-workers.js';

let stack: Stack;
let stopWorkers: () => Promise<void> = async () => {};

beforeAll(async () => {
  stack = await startStack();
});
afterAll(async () => {
  await stopWorkers();
  await stack?.stop();
});

/** A NUL, and the first half of a character that a limit of length has cut: PostgreSQL takes neither. */
const ODD = 'said \0 and \ud83d';

it('takes in facts with text that the database cannot hold: no job waits for ever for its end', async () => {
  const client = new Client(await stack.gateway());
  stopWorkers = await startWorkers(stack.nats.servers, {
    hook: async ({ hook }) => {
      if ('command' in hook && hook.command === 'fail') throw new JobError('HOOK_FAILED', `It ${ODD}`);
      return { output: ODD };
    },
    exporting: async ({ vm_name: vm }) => {
      if (vm === 'broken') throw new JobError('VM_NOT_FOUND', `It ${ODD}`, { retryable: false });
    },
  });
  const [broken, refused, moved] = await Promise.all([
    client.convert('broken'),
    client.convert('held', { hooks: { before: { command: 'fail' } } }),
    client.convert('moved', { hooks: { before: { command: 'run' } } }),
  ]);
  expect(await client.reaches(broken, 'failed')).toMatchObject({ error: 'It said \ufffd and \ufffd' });
  expect((await client.reaches(refused, 'failed')).error).toContain('It said \ufffd and \ufffd');
  await client.reaches(moved, 'completed');
}, 90_000);
