/**
 * What telemetry costs: CPU seconds (user and system) of the gateway under the load of the bench of jobs, without telemetry and
 * with all of it: traces and logs sent over OTLP to a receiver in another process, metrics scraped every 15 s.
 *
 *   npm run bench -- telemetry [--rounds N] [--jobs N] [--json FILE]
 *
 * Rounds without and with it alternate, each on a new stack. Goal: at most 3 % more, of the medians. Ends with 1 when it is missed.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startStack } from '../integration/gateway-stack.js';
import { describeMachine, runLoad } from './jobs/load.js';
import { cpuTimes } from './processes.js';
import type { Received } from './telemetry/receiver.js';

const GOAL = 1.03;
const SCRAPE_MS = 15_000;
/** More than spans and records wait before they are sent: what was caused by the load is counted. */
const SETTLE_MS = 6_000;

interface Round {
  /** CPU seconds of the gateway until it was ready. */
  readonly start: number;
  /** From then to the end of the load. */
  readonly load: number;
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

async function round(jobs: number, telemetry: object | undefined): Promise<Round & { machine: string }> {
  const stack = await startStack();
  try {
    const gateway = await stack.gateway({
      gateway: { api: { rate_limit: { writes_per_minute: 0 } } },
      ...(telemetry === undefined ? {} : { telemetry }),
    });
    const { self: start } = await cpuTimes(gateway.pid);
    const stop = telemetry === undefined ? () => {} : scrape(gateway.url);
    await runLoad(stack, gateway, jobs);
    await sleep(SETTLE_MS);
    stop();
    const { self: end } = await cpuTimes(gateway.pid);
    // Gently: a profile that NODE_OPTIONS asks for is written then.
    await gateway.kill('SIGTERM');
    return { start, load: end - start, machine: await describeMachine(stack) };
  } finally {
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
  const told = (values: readonly number[], digits: number) => ({
    median: rounded(median(values), digits),
    least: rounded(Math.min(...values), digits),
    most: rounded(Math.max(...values), digits),
  });
  return { off: told(off, 2), on: told(on, 2), ratio: rounded(median(on) / median(off), 4), pairs: told(ratios, 4) };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '7' },
      jobs: { type: 'string', default: '10000' },
      json: { type: 'string' },
    },
  });
  const [rounds, jobs] = [Number(values.rounds), Number(values.jobs)];
  const receiver = await startReceiver();
  try {
    const [off, on]: [Round[], Round[]] = [[], []];
    let machine = '';
    for (let count = 0; count < rounds; count += 1) {
      const without = await round(jobs, undefined);
      const withIt = await round(jobs, { otlp_endpoint: receiver.endpoint, logs: true });
      ({ machine } = without);
      if (count === 0) process.stdout.write(`${machine}\nCPU seconds of the gateway, ${jobs} jobs a round\n`);
      process.stdout.write(`round ${count + 1}: ${rounded(without.load)} without, ${rounded(withIt.load)} with\n`);
      off.push(without);
      on.push(withIt);
    }
    const received = await receiver.received();
    const load = compare(
      off.map((one) => one.load),
      on.map((one) => one.load),
    );
    const start = compare(
      off.map((one) => one.start),
      on.map((one) => one.start),
    );
    // A receiver that got nothing would make any telemetry cheap.
    const reached = load.ratio <= GOAL && (received['/v1/traces']?.requests ?? 0) > 0;
    process.stdout.write(
      `the load: ${load.off.median} (${load.off.least} to ${load.off.most}) without, ${load.on.median} (${load.on.least} to ${load.on.most}) with\n` +
        `to be ready: ${start.off.median} without, ${start.on.median} with\n` +
        `received in all: ${JSON.stringify(received)}\n` +
        `${'ratio of CPU seconds'.padEnd(40)}${String(load.ratio).padStart(8)}   goal <= ${GOAL}   ${reached ? 'reached' : 'MISSED'} (pairs ${load.pairs.least} to ${load.pairs.most})\n`,
    );
    const figures = { machine, jobs, rounds, load, start, received, goals: { ratio: GOAL } };
    if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(figures, undefined, 2)}\n`);
    if (!reached) process.exitCode = 1;
  } finally {
    receiver.stop();
  }
}

await main();
