import type { Worker } from '@hyper2kvm/contracts';
import type { GatewayClient } from '../client.js';
import { plural, printable } from '../format.js';
import { liveLine } from '../live-line.js';
import { interruption, poll } from '../poll.js';

/** By then a worker has told that it drains, and what it was just taking is among its jobs: before, none may mean not yet. */
const SETTLED_MS = 2_000;

export interface Waiting {
  readonly quiet: boolean;
  readonly stream: NodeJS.WriteStream;
  /** A worker has nothing left; `gone` where it was stopped meanwhile. */
  readonly onDrained: (id: string, gone: boolean) => void;
  /** Where nothing can be drawn again in place: how much is left, each time that it changed. */
  readonly onLeft: (text: string) => void;
  /** Somebody had it take work again, so that it will never be drained. */
  readonly onResumed: (id: string, status: Worker['status']) => void;
}

/** How a wait for drained workers ended. */
export type Ended = 'drained' | 'resumed' | 'interrupted';

/** Waits until nothing runs on these workers; Ctrl-C leaves them draining. */
export async function waitUntilDrained(
  client: GatewayClient,
  ids: readonly string[],
  options: Waiting,
): Promise<Ended> {
  const line = liveLine(options.stream, options.quiet);
  const interrupted = interruption();
  const since = Date.now();
  const left = new Set(ids);
  let resumed = false;
  let told = '';
  try {
    for await (const fleet of poll(() => client.workers.list(), { signal: interrupted.signal })) {
      const busy: Worker[] = [];
      for (const id of left) {
        const found = fleet.filter((one) => one.worker_id === id);
        const settled = Date.now() - since >= SETTLED_MS;
        const other = found.find(({ status }) => status === 'running' || status === 'paused');
        if (settled && other !== undefined) {
          resumed = true;
          left.delete(id);
          line.clear();
          options.onResumed(id, other.status);
        } else if (!settled || found.some(({ status }) => status === 'draining')) {
          busy.push(...found);
        } else {
          left.delete(id);
          line.clear();
          options.onDrained(id, found.length === 0);
        }
      }
      if (left.size === 0) return resumed ? 'resumed' : 'drained';
      const text = drainingLine(busy);
      line.set(text);
      if (told !== '' && told !== text && !options.stream.isTTY) options.onLeft(text);
      told = text;
    }
    return 'interrupted';
  } finally {
    line.clear();
    interrupted.release();
  }
}

/** `⏳ Draining 2 workers, 5 jobs left: kvm01-converter 3, kvm02-converter 2` */
export function drainingLine(busy: readonly Worker[]): string {
  const jobs = busy.reduce((sum, { active_jobs: active }) => sum + active.length, 0);
  const each = busy
    .filter(({ active_jobs: active }) => active.length > 0)
    .map(({ worker_id: id, active_jobs: active }) => `${printable(id)} ${active.length}`);
  const detail = each.length === 0 ? '' : `: ${each.join(', ')}`;
  return `⏳ Draining ${plural(busy.length, 'worker')}, ${plural(jobs, 'job')} left${detail}`;
}
