/**
 * The gateway with 10,000 jobs: how fast batches become jobs, and how long a page of the list and one job in detail take.
 * PostgreSQL (fsync on) and JetStream (file storage) are durable; a job counts as made when its `job.created` lies in the stream.
 *
 *   npm run bench -- jobs [--jobs N] [--json FILE]
 *
 * Goals: 300 jobs a second sustained, list p95 below 50 ms, detail p95 below 20 ms. Ends with 1 when one is missed.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { startStack } from '../integration/gateway-stack.js';
import { describeMachine, runLoad } from './jobs/load.js';

const GOALS = { created_per_second: 300, list_p95_ms: 50, detail_p95_ms: 20 };

const line = (name: string, found: number, goal: string, ok: boolean): string =>
  `${name.padEnd(40)}${String(found).padStart(8)}   goal ${goal}   ${ok ? 'reached' : 'MISSED'}\n`;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { jobs: { type: 'string', default: '10000' }, json: { type: 'string' } } });
  const count = Number(values.jobs);
  const stack = await startStack();
  try {
    const gateway = await stack.gateway({ gateway: { api: { rate_limit: { writes_per_minute: 0 } } } });
    const machine = await describeMachine(stack);
    process.stdout.write(`${machine}\n`);
    const { made, waiting, list, detail } = await runLoad(stack, gateway, count);
    const figures = {
      machine,
      jobs: count,
      created_per_second: Math.round(made.rate),
      accepted_per_second: Math.round(made.accepted),
      list_ms: list,
      detail_ms: detail,
      detail_all_waiting_ms: waiting,
      goals: GOALS,
    };
    const reached = [
      made.rate >= GOALS.created_per_second,
      list.p95 < GOALS.list_p95_ms,
      detail.p95 < GOALS.detail_p95_ms,
      waiting.p95 < GOALS.detail_p95_ms,
    ];
    process.stdout.write(
      line('jobs a second, told', figures.created_per_second, '>= 300', reached[0] === true) +
        line(`list of ${count} jobs, p95 ms`, list.p95, '< 50', reached[1] === true) +
        line(`detail of ${count} jobs, p95 ms`, detail.p95, '< 20', reached[2] === true) +
        line('detail while all of them wait, p95 ms', waiting.p95, '< 20', reached[3] === true) +
        `list p50 ${list.p50}, p99 ${list.p99}; detail p50 ${detail.p50}, p99 ${detail.p99}; answered ${figures.accepted_per_second} jobs a second\n`,
    );
    if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(figures, undefined, 2)}\n`);
    if (reached.includes(false)) process.exitCode = 1;
  } finally {
    await stack.stop();
  }
}

await main();
