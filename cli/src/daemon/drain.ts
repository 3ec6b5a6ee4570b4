import { hostname } from 'node:os';
import type { Worker } from '@hyper2kvm/contracts';
import { CliError } from '../lib/errors.js';
import type { GatewayClient } from '../lib/client.js';
import { plural, printable } from '../lib/format.js';
import { liveLine } from '../lib/live-line.js';
import { interruption, poll } from '../lib/poll.js';
import { spanWord } from '../lib/when.js';
import type { ManagerReport } from './manager.js';

/** By then a worker has told that it drains, and what it was just taking is among its jobs. */
const SETTLED_MS = 2_000;

export interface DrainOptions {
  readonly client: GatewayClient;
  /** The workers' services are among these. */
  readonly services: readonly string[];
  readonly report: ManagerReport;
  readonly timeoutMs: number;
  readonly quiet: boolean;
  /** A line for whoever waits. */
  readonly say: (text: string) => void;
}

export interface Drained {
  /** False: Ctrl-C, everything runs as before. */
  readonly go: boolean;
  /** Jobs that still run: they are handed back. */
  readonly handedBack: readonly string[];
}

/** The workers that are processes of these services. */
export const workersOf = (fleet: readonly Worker[], { services }: ManagerReport): Worker[] =>
  fleet.filter(
    ({ host, pid, service }) =>
      host === hostname() && services.some((one) => one.name === service && one.pid !== null && one.pid === pid),
  );

const jobsOf = (workers: readonly Worker[]): string[] => workers.flatMap(({ active_jobs: jobs }) => jobs);

/**
 * Has the workers take nothing new and waits, up to a limit, until what they have has ended. What has not is theirs to hand back
 * when they are stopped. Ctrl-C has them take work again.
 */
export async function drain(options: DrainOptions): Promise<Drained> {
  const { client, services, report, timeoutMs, quiet, say } = options;
  const ours = async (): Promise<Worker[]> =>
    workersOf(await client.workers.list(), report).filter(({ service }) => services.includes(service));
  let workers: Worker[];
  try {
    workers = await ours();
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    say(`The gateway does not tell which jobs run (${error.why ?? error.message}): what runs is handed back.`);
    return { go: true, handedBack: [] };
  }
  if (timeoutMs <= 0) return { go: true, handedBack: jobsOf(workers) };

  const interrupted = interruption();
  const line = liveLine(process.stderr, quiet);
  // One that is paused takes nothing new as it is, and shall be paused afterwards.
  const drained = workers.filter(({ status }) => status === 'running').map(({ worker_id: id }) => id);
  try {
    for (const id of drained) await client.workers.tell(id, 'drain');
    // Asked anew: what they told before is up to ten seconds old, and with this they told again.
    workers = await ours();
    if (jobsOf(workers).length === 0) return { go: true, handedBack: [] };
    say(
      `${running(workers)} Waiting up to ${spanWord(timeoutMs)}; then the work is handed back and goes on after the next start.`,
    );
    say('--now does not wait. Ctrl-C stops nothing.');
    const began = Date.now();
    let left = workers;
    let told = jobsOf(workers).length;
    for await (const now of poll(ours, { signal: interrupted.signal, pauseMs: 500, giveUpMs: timeoutMs })) {
      left = now;
      const jobs = jobsOf(now);
      const waited = Date.now() - began;
      if (jobs.length === 0 && waited >= SETTLED_MS) return { go: true, handedBack: [] };
      if (waited >= timeoutMs) break;
      line.set(`⏳ ${running(now)} ${spanWord(timeoutMs - waited)} left`);
      if (jobs.length !== told && !process.stderr.isTTY) say(running(now));
      told = jobs.length;
    }
    line.clear();
    if (interrupted.signal.aborted) {
      for (const id of drained) await client.workers.tell(id, 'resume');
      return { go: false, handedBack: [] };
    }
    const jobs = jobsOf(left);
    say(`${spanWord(timeoutMs)} are over; handed back: ${jobs.map(printable).join(', ')}`);
    return { go: true, handedBack: jobs };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    say(`The gateway was lost (${error.why ?? error.message}): what runs is handed back.`);
    return { go: true, handedBack: jobsOf(workers) };
  } finally {
    line.clear();
    interrupted.release();
  }
}

/** `2 jobs run: exporter 1, converter 1.` */
function running(workers: readonly Worker[]): string {
  const count = jobsOf(workers).length;
  const each = workers
    .filter(({ active_jobs: jobs }) => jobs.length > 0)
    .map(({ service, active_jobs: jobs }) => `${service} ${jobs.length}`);
  return `${plural(count, 'job')} ${count === 1 ? 'runs' : 'run'}${count === 0 ? '' : `: ${each.join(', ')}`}.`;
}
