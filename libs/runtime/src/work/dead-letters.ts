import { headers, type MsgHdrs } from 'nats';
import type { Bus } from '../bus/bus.js';
import { MAX_BODY_BYTES } from '../bus/cloudevents.js';
import { deadLettered } from '../telemetry/runtime-metrics.js';

/** For the headers of the original and of its death. */
const ROOM_BYTES = 8192;
/** Headers in which the death of a message is noted. */
export const DEAD_NOTES = 'h2k-dead-';

/**
 * Keeps a message that nobody can or may handle, as it came, with the reason; of one that is too large only the headers. Subject: `dead.<its own subject>`, so that it
 * can be listed by kind and sent again.
 * @param event what it was taken for, as the catalogue names it
 */
export async function deadLetter(
  bus: Bus,
  event: string,
  message: { readonly subject: string; readonly headers?: MsgHdrs | undefined; readonly data: Uint8Array },
  source: string,
  reason: string,
): Promise<void> {
  const hdrs = headers();
  for (const [key, values] of message.headers ?? []) {
    // The original's dedupe id would make a second death of the same message vanish.
    if (key.toLowerCase() !== 'nats-msg-id') for (const value of values) hdrs.append(key, value);
  }
  hdrs.set(`${DEAD_NOTES}reason`, reason.replaceAll(/[\r\n]+/g, ' ').slice(0, 1000));
  hdrs.set(`${DEAD_NOTES}source`, source);
  hdrs.set(`${DEAD_NOTES}time`, new Date().toISOString());
  // With these headers a message of the greatest size would be too large, and could never be put aside.
  const fits = message.data.length + ROOM_BYTES <= (bus.connection.info?.max_payload ?? MAX_BODY_BYTES);
  if (!fits) hdrs.set(`${DEAD_NOTES}bytes`, String(message.data.length));
  await bus.js.publish(`dead.${message.subject}`, fits ? message.data : new Uint8Array(), {
    headers: hdrs,
    timeout: 2_000,
  });
  deadLettered.inc({ event });
}
