import { headers, type MsgHdrs } from 'nats';
import type { Bus } from '../bus/bus.js';

/**
 * Keeps a message that nobody can or may handle, as it came, with the reason. Subject: `dead.<its own subject>`, so that it
 * can be listed by kind and sent again.
 */
export async function deadLetter(
  bus: Bus,
  message: { readonly subject: string; readonly headers?: MsgHdrs | undefined; readonly data: Uint8Array },
  source: string,
  reason: string,
): Promise<void> {
  const hdrs = headers();
  for (const [key, values] of message.headers ?? []) {
    // The original's dedupe id would make a second death of the same message vanish.
    if (key.toLowerCase() !== 'nats-msg-id') for (const value of values) hdrs.append(key, value);
  }
  hdrs.set('h2k-dead-reason', reason.replaceAll(/[\r\n]+/g, ' ').slice(0, 1000));
  hdrs.set('h2k-dead-source', source);
  hdrs.set('h2k-dead-time', new Date().toISOString());
  await bus.js.publish(`dead.${message.subject}`, message.data, { headers: hdrs, timeout: 2_000 });
}
