import { jobLog, type JobLog } from '@hyper2kvm/contracts';
import type { GatewayClient } from './client.js';
import { follow } from './follow.js';
import { printable } from './format.js';
import type { SseEvent } from './sse.js';

export const logLine = (line: JobLog): string =>
  `${line.time} ${line.level.toUpperCase().padEnd(5)} ${line.step ?? line.phase}: ${printable(line.message)}`;

const isEnd = ({ event }: SseEvent): boolean => event === 'end';
const keyOf = (line: JobLog): string => `${line.time} ${line.level} ${line.message}`;

/** The last `tail` lines, then each new one until the job ended; none twice, none left out. */
export async function* followLog(
  client: GatewayClient,
  jobId: string,
  tail: number,
  signal: AbortSignal,
): AsyncGenerator<JobLog> {
  const seen = new Set<string>();
  let first = true;
  const events = follow({ open: (lastId, stop) => client.events(jobId, lastId, stop), signal, isLast: isEnd });
  for await (const event of events) {
    // Only now is the stream open: what is logged from here on comes through it, what was logged before is asked for.
    if (first) {
      first = false;
      for (const line of (await client.logs(jobId, tail)).lines) {
        seen.add(keyOf(line));
        yield line;
      }
    }
    if (event.event !== 'log') continue;
    const parsed = jobLog.schema.safeParse(JSON.parse(event.data));
    if (!parsed.success || seen.has(keyOf(parsed.data))) continue;
    seen.add(keyOf(parsed.data));
    yield parsed.data;
  }
}
