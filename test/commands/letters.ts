import { createLogger, openBus } from '@hyper2kvm/runtime';
import { headers } from 'nats';

/** Puts messages aside as a service does that cannot handle them; their ids in the list, oldest first. */
export async function putAside(
  servers: readonly string[],
  ...letters: readonly { readonly subject: string; readonly body: unknown; readonly reason: string }[]
): Promise<string[]> {
  const { bus, close } = await openBus({
    nats: { servers: [...servers], replicas: 1 },
    service: 'test',
    workerId: 'test',
    logger: createLogger('test', 'error'),
  });
  try {
    const ids: string[] = [];
    for (const { subject, body, reason } of letters) {
      const told = headers();
      told.set('h2k-dead-reason', reason);
      told.set('h2k-dead-source', 'converter');
      told.set('h2k-dead-time', new Date().toISOString());
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      ids.push(String((await bus.js.publish(`dead.${subject}`, text, { headers: told })).seq));
    }
    return ids;
  } finally {
    await close();
  }
}
