import { readFileSync } from 'node:fs';
import { JobDetail, jobLog, jobProgress } from '@hyper2kvm/contracts';
import { cleaningOf, isResting, openScreen, summaryLines, type ViewEvent } from '../progress/index.js';
import type { GatewayClient } from './client.js';
import { readDomainXml, type DomainFacts } from './domain-xml.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { follow } from './follow.js';
import { asciiMarks } from './marks.js';
import { interruption, poll } from './poll.js';
import type { Settings } from './settings.js';
import type { SseEvent } from './sse.js';

/** The outcome is known by then: nobody is kept waiting for ever. */
const CLEANUP_WAIT_MS = 120_000;

export interface WatchOptions {
  readonly client: GatewayClient;
  readonly settings: Settings;
  readonly jobId: string;
  /** Shown before the first event of the job. */
  readonly first?: ViewEvent | undefined;
  /** Nothing is drawn. */
  readonly quiet: boolean;
  readonly stream: NodeJS.WriteStream;
}

export type Watched =
  | { readonly ended: true; readonly job: JobDetail; readonly exitCode: ExitCode }
  /** Ctrl-C: the job goes on. */
  | { readonly ended: false };

/** Shows a job until it ended or the user has seen enough. */
export async function watch(options: WatchOptions): Promise<Watched> {
  const { client, settings, jobId, stream } = options;
  const screen = openScreen({
    stream,
    color: settings.colorOn(stream),
    silent: options.quiet || !settings.showProgress,
    logLevel: settings.logLevel,
  });
  const interrupted = interruption();
  let job: JobDetail | undefined;
  try {
    if (options.first !== undefined) screen.update(options.first);
    const events = follow({
      open: (lastId, signal) => client.events(jobId, lastId, signal),
      signal: interrupted.signal,
      onConnection: (state) => screen.update({ type: 'connection', state }),
      isLast: (event) => isFinal(viewEvent(event)),
    });
    for await (const event of events) {
      const seen = viewEvent(event);
      if (seen === undefined) continue;
      const final = isFinal(seen);
      // The gateway's stream ends with each attempt; the job does not while another one is due.
      screen.update(seen.type === 'end' ? { ...seen, type: 'job' } : seen);
      if (final) job = seen.job;
    }
    if (job !== undefined) {
      job = await afterCleanup(client, job, interrupted.signal);
      screen.update({ type: 'end', job });
    }
  } finally {
    screen.close();
    interrupted.release();
  }
  if (job === undefined) return { ended: false };
  if (!options.quiet) {
    const columns = stream.isTTY && stream.columns > 0 ? stream.columns : 80;
    const lines = summaryLines(job, {
      color: settings.colorOn(stream),
      columns,
      domain: domainOf(job),
      origin: screen.model.origin,
    });
    stream.write(`${asciiMarks(lines.join('\n'))}\n`);
  }
  return { ended: true, job, exitCode: job.status === 'completed' || isResting(job) ? EXIT.ok : EXIT.failed };
}

/** The job once what its export left is removed, or as it is when that takes long: an exporter may be down. */
async function afterCleanup(client: GatewayClient, ended: JobDetail, signal: AbortSignal): Promise<JobDetail> {
  let job = ended;
  const until = Date.now() + CLEANUP_WAIT_MS;
  if (cleaningOf(job) !== 'goes on') return job;
  for await (const now of poll(() => client.job(job.job_id), { signal })) {
    job = now;
    if (cleaningOf(job) !== 'goes on' || Date.now() > until) break;
  }
  return job;
}

/** The job ended for good, or rests until somebody asks for its conversion. */
const isFinal = (event: ViewEvent | undefined): event is ViewEvent & { type: 'end' | 'job' } =>
  (event?.type === 'end' && (event.job.status !== 'failed' || event.job.next_retry_at === null)) ||
  (event?.type === 'job' && isResting(event.job));

/** Undefined for events of a newer gateway, and for ones that are not as they should be: one less line is no reason to end. */
function viewEvent({ event, data }: SseEvent): ViewEvent | undefined {
  const json = ((): unknown => {
    try {
      return JSON.parse(data);
    } catch {
      return undefined;
    }
  })();
  switch (event) {
    case 'job':
    case 'end': {
      const parsed = JobDetail.safeParse(json);
      if (event === 'end' && !parsed.success)
        throw new Error(`the gateway's last event was not understood: ${parsed.error.message}`);
      return parsed.success ? { type: event, job: parsed.data } : undefined;
    }
    case 'progress': {
      const parsed = jobProgress.schema.safeParse(json);
      return parsed.success ? { type: 'progress', progress: parsed.data } : undefined;
    }
    case 'log': {
      const parsed = jobLog.schema.safeParse(json);
      return parsed.success ? { type: 'log', log: parsed.data } : undefined;
    }
    default:
      return undefined;
  }
}

/** The domain is there to read where hyperctl runs on the machine that converted. */
export function domainOf(job: JobDetail): DomainFacts | undefined {
  if (job.domain_xml === null) return undefined;
  try {
    return readDomainXml(readFileSync(job.domain_xml, 'utf8'));
  } catch {
    return undefined;
  }
}
