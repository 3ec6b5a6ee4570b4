import { BUCKETS } from '@hyper2kvm/contracts';
import type { JetStreamClient, NatsConnection } from 'nats';
import { followSubject } from './follow.js';

const RETRY_MS = 1_000;
const SUBJECT = `$KV.${BUCKETS.control}.`;

/**
 * Calls back with every value of the bucket `control` under a pattern: those that are there, then each change (empty: deleted),
 * until the signal ends it. Outages of NATS are waited out; after one a value may be told again.
 */
export async function followControl(
  connection: NatsConnection,
  js: JetStreamClient,
  pattern: string,
  signal: AbortSignal,
  callback: (key: string, value: string) => void,
): Promise<void> {
  while (!signal.aborted && !connection.isClosed()) {
    try {
      for await (const message of followSubject(connection, js, `${SUBJECT}${pattern}`, 0, signal))
        callback(message.subject.slice(SUBJECT.length), message.string());
    } catch {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref());
    }
  }
}
