import { isEnded, jobLog, type JobDetail, type JobLog } from '@hyper2kvm/contracts';
import type { GatewayClient } from './client.js';
import { follow } from './follow.js';
import { printable } from './format.js';
import type { SseEvent } from './sse.js';

/** A sentence with its time, level and step; below it, indented, what programs printed meanwhile. */
export function logLine(line: JobLog): string {
  const head = `${line.time} ${line.level.toUpperCase().padEnd(5)}`;
  const step = line.step ?? line.phase;
  if (line.source !== undefined) {
    const source = printable(line.source);
    return line.message
      .split('\n')
      .map((text) => `${head}   ${source}: ${printable(text)}`)
      .join('\n');
  }
  const text = printable(line.message);
  // Many sentences name their step themselves.
  return `${head} ${text.startsWith(`${step}: `) ? text : `${step}: ${text}`}`;
}

const isEnd = ({ event }: SseEvent): boolean => event === 'end';

/** Why a job has no log. */
export function silenceOf(job: JobDetail): string {
  if (isEnded(job.status)) return `the job is ${job.status}, and left none or they are not kept any longer`;
  if (job.waiting_reason !== null) return `the job waits: ${printable(job.waiting_reason)}`;
  const position = job.queue_position === null ? '' : ` (position: ${job.queue_position})`;
  if (job.status === 'pending') return `the job waits in the export queue${position}`;
  return `the job is ${job.status}`;
}

/** The last `tail` lines, then each new one until the job ended; none twice, none left out. @param onNone there is no line yet */
export async function* followLog(
  client: GatewayClient,
  jobId: string,
  asked: { readonly tail: number; readonly level: JobLog['level'] },
  signal: AbortSignal,
  onNone: () => void,
): AsyncGenerator<JobLog> {
  const { level } = asked;
  const { lines } = await client.logs(jobId, asked.tail, level);
  if (lines.length === 0) onNone();
  let after = 0;
  for (const { seq, ...line } of lines) {
    after = seq ?? after;
    yield line;
  }
  const events = follow({
    open: (lastId, stop) => client.followLogs(jobId, { level, after: Number(lastId ?? after) }, stop),
    signal,
    isLast: isEnd,
  });
  for await (const event of events) {
    if (event.event !== 'log') continue;
    const parsed = jobLog.schema.safeParse(JSON.parse(event.data));
    if (parsed.success) yield parsed.data;
  }
}
