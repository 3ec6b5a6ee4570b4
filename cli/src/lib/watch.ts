import { readFileSync } from 'node:fs';
import { JobDetail, jobLog, jobProgress } from '@hyper2kvm/contracts';
import { openScreen, summaryLines, type ViewEvent } from '../progress/index.js';
import type { GatewayClient } from './client.js';
import { readDomainXml, type DomainFacts } from './domain-xml.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { follow } from './follow.js';
import type { Settings } from './settings.js';
import type { SseEvent } from './sse.js';

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
    color: settings.color && stream.isTTY,
    silent: options.quiet || !settings.showProgress,
    logLevel: settings.logLevel,
  });
  const interrupted = new AbortController();
  const onSignal = (): void => interrupted.abort(new Error('interrupted'));
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
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
      screen.update(seen.type === 'end' && !final ? { ...seen, type: 'job' } : seen);
      if (final) job = seen.job;
    }
  } finally {
    screen.close();
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
  if (job === undefined) return { ended: false };
  if (!options.quiet) {
    const columns = stream.isTTY && stream.columns > 0 ? stream.columns : 80;
    const lines = summaryLines(job, { color: settings.color && stream.isTTY, columns, domain: domainOf(job) });
    stream.write(`${lines.join('\n')}\n`);
  }
  return { ended: true, job, exitCode: job.status === 'completed' ? EXIT.ok : EXIT.failed };
}

const isFinal = (event: ViewEvent | undefined): event is ViewEvent & { type: 'end' } =>
  event?.type === 'end' && (event.job.status !== 'failed' || event.job.next_retry_at === null);

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
