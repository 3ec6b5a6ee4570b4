/** Jobs from their request to their end, worked off by stand-ins that move no disks. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Gateway, Stack } from '../../integration/gateway-stack.js';
import { ask, VCENTER } from './load.js';

/** Requests at a time. */
const CALLERS = 4;
const LIMIT_MS = 300_000;

/** @throws when not all were completed in time */
export async function workOff(stack: Stack, gateway: Gateway, count: number): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => `worked-${index}`);
  const callers = Array.from({ length: CALLERS }, async () => {
    for (let name = names.pop(); name !== undefined; name = names.pop())
      await ask(gateway, 'POST', '/api/v1/convert', { vm_name: name, vcenter: VCENTER, options: {} });
  });
  await Promise.all(callers);
  for (const limit = Date.now() + LIMIT_MS; ; await sleep(250)) {
    const { rows } = await stack.db.query<{ done: number }>(
      "SELECT count(*)::int AS done FROM jobs WHERE status = 'completed'",
    );
    if (rows[0]?.done === count) return;
    if (Date.now() > limit) throw new Error(`${rows[0]?.done} of ${count} jobs were completed`);
  }
}
