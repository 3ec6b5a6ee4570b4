import { isEnded, jobLog, type JobDetail, type JobLog } from '@hyper2kvm/contracts';
import type { GatewayClient } from './client.js';
import { follow } from './follow.js';
import { printable } from './format.js';
import type { SseEvent } from './sse.js';

export const logLine = (line: JobLog): string =>
  `${line.time} ${line.level.toUpperCase().padEnd(5)} ${line.step ?? line.phase}: ${printable(line.message)}`;

const isEnd = ({ event }: SseEvent): boolean => event === 'end';

/** More than can be asked for at once. */
const REMEMBERED = 20_000;

/** Why a job has no log. */
export function silenceOf(job: JobDetail): string {
  if (isEnded(job.status)) return `the job is ${job.status}, and left none or they are not kept any longer`;
  if (job.waiting_reason !== null) return `the job waits: ${printable(job.waiting_reason)}`;
  const position = job.queue_position === null ? '' : ` (position: ${job.queue_position})`;
  if (job.status === 'pending') return `the job waits in the export queue${position}`;
  return `the job is ${job.status}`;
}

/** Lines that are known, to say none twice; a log may be longer than it is worth to remember. */
class Recent {
  readonly #keys = new Set<string>();

  /** False for one that was added before. */
  add(line: JobLog): boolean {
    const key = `${line.time} ${line.level} ${line.message}`;
    if (this.#keys.has(key)) return false;
    this.#keys.add(key);
    const [oldest] = this.#keys;
    if (this.#keys.size > REMEMBERED && oldest !== undefined) this.#keys.delete(oldest);
    return true;
  }
}

/** The last `tail` lines, then each new one until the job ended; none twice, none left out. @param onNone there is no line yet */
export async function* followLog(
  client: GatewayClient,
  jobId: string,
  tail: number,
  signal: AbortSignal,
  onNone: () => void,
): AsyncGenerator<JobLog> {
  const recent = new Recent();
  let first = true;
  const events = follow({ open: (lastId, stop) => client.events(jobId, lastId, stop), signal, isLast: isEnd });
  for await (const event of events) {
    // Only now is the stream open: what is logged from here on comes through it, what was logged before is asked for.
    if (first) {
      first = false;
      const { lines } = await client.logs(jobId, tail);
      if (lines.length === 0) onNone();
      for (const line of lines) if (recent.add(line)) yield line;
    }
    if (event.event !== 'log') continue;
    const parsed = jobLog.schema.safeParse(JSON.parse(event.data));
    if (parsed.success && recent.add(parsed.data)) yield parsed.data;
  }
}
