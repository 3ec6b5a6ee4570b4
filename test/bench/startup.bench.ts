/**
 * How long a user waits for hyperctl: packed as it is published, and from this checkout, beside Node itself and npm. The gateway is a
 * stand-in on this machine that answers at once. Runs take turns, so that what else the machine does falls on all alike.
 *
 *   npm run bench -- startup [--runs N] [--node FILE] [--json FILE]
 *
 * Goal: the packed `hyperctl --version` in less than 250 ms (median). Ends with 1 when it is missed.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';

const GOAL_MS = 250;
/** From test/bench and test/dist/bench alike. */
const ROOT = fileURLToPath(import.meta.url).replace(/\/test\/(dist\/)?bench\/.*$/, '');

interface Figure {
  readonly what: string;
  readonly runs: number;
  readonly median_ms: number;
  readonly p95_ms: number;
  /** Of Node that does nothing. */
  readonly ratio: number;
}

/** A gateway without jobs, in a thread of its own: this one waits for processes. @returns its address */
async function standIn(): Promise<{ url: string; stop(): Promise<unknown> }> {
  const code = `
    const { createServer } = require('node:http');
    const server = createServer((_, response) => {
      response.setHeader('content-type', 'application/json');
      response.end('{"jobs":[],"next_cursor":null}');
    });
    server.listen(0, '127.0.0.1', () => require('node:worker_threads').parentPort.postMessage(server.address().port));`;
  const worker = new Worker(code, { eval: true });
  const port = await new Promise<number>((resolve, reject) => {
    worker.once('message', resolve).once('error', reject);
  });
  return { url: `http://127.0.0.1:${port}`, stop: () => worker.terminate() };
}

/** Wall-clock time until the process has ended, in ms. */
function run(command: readonly string[], env: NodeJS.ProcessEnv): number {
  const [file = '', ...args] = command;
  const begin = performance.now();
  const { status, stderr } = spawnSync(file, args, { env, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}: ${stderr}`);
  return performance.now() - begin;
}

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? NaN;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '20' },
    node: { type: 'string', default: process.execPath },
    json: { type: 'string' },
  },
});
const runs = Number(values.runs);
const node = values.node;
const folder = await mkdtemp(path.join(tmpdir(), 'hyper2kvm-bench-'));
const gateway = await standIn();
let figures: Figure[];
try {
  execFileSync(process.execPath, ['scripts/pack.mjs', '--no-build', '--out', folder], { cwd: ROOT, stdio: 'inherit' });
  const env = {
    PATH: `${path.dirname(node)}:${process.env['PATH'] ?? ''}`,
    HOME: path.join(folder, 'home'),
    HYPER2KVM_URL: gateway.url,
  };
  const ways = { packed: path.join(folder, 'package/bin/run.js'), checkout: path.join(ROOT, 'cli/bin/run.js') };
  const commands = [['--version'], ['--help'], ['list', '--help'], ['list']];
  const wanted: [string, string[]][] = [
    ['node -e 0', [node, '-e', '0']],
    ['npm --version', ['npm', '--version']],
  ];
  for (const [way, file] of Object.entries(ways))
    for (const args of commands) wanted.push([`hyperctl ${args.join(' ')} (${way})`, [node, file, ...args]]);
  const measured = new Map(wanted.map(([what, command]) => [what, { command, times: [] as number[] }]));
  // The first run fills the caches, of the disk and of Node.
  for (const { command } of measured.values()) run(command, env);
  for (let round = 0; round < runs; round += 1) {
    for (const { command, times } of measured.values()) times.push(run(command, env));
  }
  const base = at(measured.get('node -e 0')?.times.toSorted((a, b) => a - b) ?? [], 0.5);
  figures = [...measured].map(([what, { times }]) => {
    const sorted = times.toSorted((a, b) => a - b);
    const median = at(sorted, 0.5);
    return { what, runs, median_ms: median, p95_ms: at(sorted, 0.95), ratio: median / base };
  });
} finally {
  await gateway.stop();
  await rm(folder, { recursive: true, force: true });
}

console.log(`${'what'.padEnd(34)}${'median'.padStart(8)}${'p95'.padStart(8)}${'× node'.padStart(8)}`);
for (const { what, median_ms: median, p95_ms: p95, ratio } of figures)
  console.log(
    `${what.padEnd(34)}${median.toFixed(0).padStart(8)}${p95.toFixed(0).padStart(8)}${ratio.toFixed(1).padStart(8)}`,
  );
const release = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
// More than one a core: what is measured is who else is at work, and only the ratios count.
const load = `${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}`;
console.log(`${runs} runs each, in ms, Node ${release}, ${load}`);
const version = figures.find(({ what }) => what === 'hyperctl --version (packed)')?.median_ms ?? NaN;
const met = version < GOAL_MS;
console.log(`Goal: packed --version below ${GOAL_MS} ms: ${met ? 'met' : 'MISSED'} (${version.toFixed(0)} ms)`);
if (values.json !== undefined)
  await writeFile(
    values.json,
    `${JSON.stringify({ machine: `Node ${release}, ${load}`, figures, met }, undefined, 2)}\n`,
  );
process.exit(met ? 0 : 1);
