/**
 * What telemetry costs: CPU seconds (user and system) of the gateway under the load of the bench of jobs, without telemetry and
 * with all of it: traces and logs sent over OTLP to a receiver in another process, metrics scraped every 15 s. Besides, of the
 * gateway and of stand-ins for the workers, for jobs from their request to their end.
 *
 *   npm run bench -- telemetry [--rounds N] [--jobs N] [--worked N] [--json FILE]
 *
 * Rounds without and with it alternate, each on a new stack. Goal: at most 3 % more for the load, of the medians. Ends with 1 when
 * it is missed.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startStack, type Gateway, type Stack } from '../integration/gateway-stack.js';
import { describeMachine, runLoad } from './jobs/load.js';
import { workOff } from './jobs/worked.js';
import { cpuTimes } from './processes.js';
import type { Received } from './telemetry/receiver.js';

const GOAL = 1.03;
const SCRAPE_MS = 15_000;
/** More than spans and records wait before they are sent: what was caused by the load is counted. */
const SETTLE_MS = 6_000;

/** CPU seconds. */
interface Round {
  /** The gateway's, until it was ready. */
  readonly start: number;
  /** The gateway's and its workers', for jobs that are worked off. */
  readonly worked: number;
  /** The gateway's, under the load. */
  readonly load: number;
}

interface Sizes {
  readonly jobs: number;
  readonly worked: number;
}

interface Receiver {
  readonly endpoint: string;
  received(): Promise<Record<string, Received>>;
  stop(): void;
}

async function startReceiver(): Promise<Receiver> {
  const child: ChildProcess = fork(new URL('telemetry/receiver.js', import.meta.url));
  const [{ endpoint }] = (await once(child, 'message')) as [{ endpoint: string }];
  return {
    endpoint,
    received: async () => {
      child.send({});
      const [message] = (await once(child, 'message')) as [{ received: Record<string, Received> }];
      return message.received;
    },
    stop: () => child.disconnect(),
  };
}

/** Asks for the metrics as Prometheus does, until it is stopped. */
function scrape(url: string): () => void {
  const ask = (): void => {
    void fetch(`${url}/metrics`)
      .then(async (response) => response.text())
      .catch(() => {});
  };
  ask();
  const timer = setInterval(ask, SCRAPE_MS);
  return () => clearInterval(timer);
}

/** What gateway and workers used up until all jobs were completed. */
async function workedOff(stack: Stack, gateway: Gateway, count: number, endpoint: string | undefined): Promise<number> {
  const args = [stack.nats.servers.join(','), ...(endpoint === undefined ? [] : [endpoint])];
  const workers = fork(new URL('telemetry/workers.js', import.meta.url), args);
  try {
    await once(workers, 'message');
    const used = async (): Promise<number> =>
      (await cpuTimes(gateway.pid)).self + (await cpuTimes(workers.pid ?? 0)).self;
    const before = await used();
    await workOff(stack, gateway, count);
    await sleep(SETTLE_MS);
    return (await used()) - before;
  } finally {
    const ended = once(workers, 'exit');
    if (workers.connected) workers.send('stop');
    await ended;
  }
}

async function round(sizes: Sizes, endpoint: string | undefined): Promise<Round & { machine: string }> {
  const stack = await startStack();
  let stop: (() => void) | undefined;
  try {
    const gateway = await stack.gateway({
      gateway: { api: { rate_limit: { writes_per_minute: 0 } } },
      ...(endpoint === undefined ? {} : { telemetry: { otlp_endpoint: endpoint, logs: true } }),
    });
    const { self: start } = await cpuTimes(gateway.pid);
    if (endpoint !== undefined) stop = scrape(gateway.url);
    const worked = await workedOff(stack, gateway, sizes.worked, endpoint);
    const { self: before } = await cpuTimes(gateway.pid);
    await runLoad(stack, gateway, sizes.jobs);
    await sleep(SETTLE_MS);
    const { self: after } = await cpuTimes(gateway.pid);
    return { start, worked, load: after - before, machine: await describeMachine(stack) };
  } finally {
    stop?.();
    await stack.stop();
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

const rounded = (value: number, digits = 2): number => Number(value.toFixed(digits));

/** Median and range of the rounds; the ratio is that of the medians, its range that of neighbours. */
function compare(off: readonly number[], on: readonly number[]) {
  const ratios = on.map((value, index) => value / (off[index] ?? value));
  const summary = (values: readonly number[], digits: number) => ({
    median: rounded(median(values), digits),
    least: rounded(Math.min(...values), digits),
    most: rounded(Math.max(...values), digits),
  });
  return {
    off: summary(off, 2),
    on: summary(on, 2),
    ratio: rounded(median(on) / median(off), 4),
    pairs: summary(ratios, 4),
  };
}

const told = (name: string, { off, on, ratio }: ReturnType<typeof compare>): string =>
  `${name.padEnd(40)}${off.median} (${off.least} to ${off.most}) without, ${on.median} (${on.least} to ${on.most}) with: ${ratio}\n`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '7' },
      jobs: { type: 'string', default: '10000' },
      worked: { type: 'string', default: '300' },
      json: { type: 'string' },
    },
  });
  const rounds = Number(values.rounds);
  const sizes = { jobs: Number(values.jobs), worked: Number(values.worked) };
  const receiver = await startReceiver();
  try {
    const [off, on]: [Round[], Round[]] = [[], []];
    let machine = '';
    for (let count = 0; count < rounds; count += 1) {
      const without = await round(sizes, undefined);
      const withIt = await round(sizes, receiver.endpoint);
      ({ machine } = without);
      if (count === 0)
        process.stdout.write(
          `${machine}\nCPU seconds; the load: ${sizes.jobs} jobs, and ${sizes.worked} that are worked off\n`,
        );
      process.stdout.write(
        `round ${count + 1}: the load ${rounded(without.load)} without, ${rounded(withIt.load)} with; worked off ${rounded(without.worked)} and ${rounded(withIt.worked)}\n`,
      );
      off.push(without);
      on.push(withIt);
    }
    const received = await receiver.received();
    const of = (part: 'start' | 'worked' | 'load') =>
      compare(
        off.map((one) => one[part]),
        on.map((one) => one[part]),
      );
    const [start, worked, load] = [of('start'), of('worked'), of('load')];
    // A receiver that got nothing would make any telemetry cheap.
    const reached = load.ratio <= GOAL && (received['/v1/traces']?.requests ?? 0) > 0;
    process.stdout.write(
      told('gateway, until ready', start) +
        told('gateway and workers, jobs worked off', worked) +
        told('gateway, the load', load) +
        `received in all: ${JSON.stringify(received)}\n` +
        `${'ratio of CPU seconds'.padEnd(40)}${String(load.ratio).padStart(8)}   goal <= ${GOAL}   ${reached ? 'reached' : 'MISSED'} (pairs ${load.pairs.least} to ${load.pairs.most})\n`,
    );
    const figures = { machine, ...sizes, rounds, load, worked, start, received, goals: { ratio: GOAL } };
    if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(figures, undefined, 2)}\n`);
    if (!reached) process.exitCode = 1;
  } finally {
    receiver.stop();
  }
}

await main();
