/** Debian's Prometheus with the rules of deploy/grafana, faster than there, on loopback. `node scripts/setup.mjs` brings it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { freePort } from './ports.js';

/** From test/support and test/dist/support alike. */
const ROOT = fileURLToPath(import.meta.url).replace(/\/test\/(dist\/)?support\/.*$/, '');
export const GRAFANA = path.join(ROOT, 'deploy/grafana');
const START_MS = 30_000;
const SCRAPE_LIMIT_MS = 60_000;

/** Path of prometheus or promtool: what set-up brought, else what the PATH has. */
export function prometheusProgram(name: 'prometheus' | 'promtool'): string {
  const cache = process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache');
  const file = path.join(cache, 'hyper2kvm/bin', name);
  return existsSync(file) ? file : name;
}

/** As in the files that Prometheus takes targets from. */
export interface TargetGroup {
  readonly targets: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  /** As Prometheus gives it: `NaN` and `+Inf`, too. */
  readonly value: string;
}

export interface Prometheus {
  readonly url: string;
  /** What is scraped from now on. */
  targets(groups: readonly TargetGroup[]): Promise<void>;
  /** Resolves when each target was read `times` times from now on; throws with what is wrong where one is not. */
  scraped(times?: number): Promise<void>;
  /** An instant query; throws what Prometheus says of it. */
  query(expression: string): Promise<Sample[]>;
  stop(): Promise<void>;
}

interface Options {
  readonly targets?: readonly TargetGroup[];
  /** Also the pause between evaluations of the rules; default: 1 */
  readonly scrapeSeconds?: number;
}

interface Configuration {
  global: Record<string, string>;
  rule_files: string[];
  scrape_configs: { file_sd_configs: { files: string[]; refresh_interval?: string }[] }[];
}

export async function startPrometheus({ targets = [], scrapeSeconds = 1 }: Options = {}): Promise<Prometheus> {
  const folder = await mkdtemp(path.join(tmpdir(), 'h2k-prometheus-'));
  const targetsFile = path.join(folder, 'targets.json');
  const setTargets = async (groups: readonly TargetGroup[]): Promise<void> => {
    // At once: a half of a file is none.
    await writeFile(`${targetsFile}.new`, JSON.stringify(groups));
    await rename(`${targetsFile}.new`, targetsFile);
  };
  await setTargets(targets);
  const config = parse(await readFile(path.join(GRAFANA, 'prometheus/prometheus.yaml'), 'utf8')) as Configuration;
  config.global = { scrape_interval: `${scrapeSeconds}s`, evaluation_interval: `${scrapeSeconds}s` };
  config.rule_files = config.rule_files.map((file) => path.join(GRAFANA, 'prometheus', file));
  for (const scrape of config.scrape_configs)
    scrape.file_sd_configs = [{ files: [targetsFile], refresh_interval: '1s' }];
  const configFile = path.join(folder, 'prometheus.yaml');
  await writeFile(configFile, stringify(config));
  const address = `127.0.0.1:${await freePort()}`;
  const url = `http://${address}`;
  const child = spawn(
    prometheusProgram('prometheus'),
    [
      `--config.file=${configFile}`,
      `--web.listen-address=${address}`,
      `--storage.tsdb.path=${path.join(folder, 'data')}`,
      '--log.level=warn',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const stop = async (): Promise<void> => {
    await end(child);
    await rm(folder, { recursive: true, force: true });
  };
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  let failed: Error | undefined;
  child.once('error', (error) => (failed = error));
  const limit = Date.now() + START_MS;
  while (!(await isReady(url))) {
    if (failed !== undefined || child.exitCode !== null || Date.now() > limit) {
      await stop();
      throw new Error(`Prometheus did not start: ${failed?.message ?? log}`);
    }
    await pause(50);
  }
  return {
    url,
    targets: setTargets,
    scraped: async (times = 2) => scraped(url, times, scrapeSeconds),
    query: async (expression) => {
      const { result } = await ask<{ result: { metric: Record<string, string>; value: [number, string] }[] }>(
        url,
        `query?query=${encodeURIComponent(expression)}`,
      );
      return result.map(({ metric, value }) => ({ metric, value: value[1] }));
    },
    stop,
  };
}

const pause = async (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const isReady = async (url: string): Promise<boolean> =>
  fetch(`${url}/-/ready`).then(
    ({ ok }) => ok,
    () => false,
  );

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** The data of an answer of Prometheus' API; throws what it says where it refuses. */
export async function ask<T>(url: string, question: string): Promise<T> {
  const response = await fetch(`${url}/api/v1/${question}`);
  const answer = (await response.json()) as { status: string; error?: string; data: T };
  if (answer.status !== 'success') throw new Error(answer.error ?? `Prometheus answered ${response.status}`);
  return answer.data;
}

interface Target {
  readonly scrapeUrl: string;
  readonly health: string;
  readonly lastError: string;
  readonly lastScrape: string;
}

async function scraped(url: string, times: number, scrapeSeconds: number): Promise<void> {
  const limit = Date.now() + SCRAPE_LIMIT_MS;
  const seen = new Map<string, Set<string>>();
  const since = Date.now();
  for (;;) {
    const { activeTargets } = await ask<{ activeTargets: Target[] }>(url, 'targets?state=active');
    for (const { scrapeUrl, health, lastScrape } of activeTargets) {
      if (health !== 'up' || Date.parse(lastScrape) < since) continue;
      seen.set(scrapeUrl, (seen.get(scrapeUrl) ?? new Set()).add(lastScrape));
    }
    const isThrough = activeTargets.every(({ scrapeUrl }) => (seen.get(scrapeUrl)?.size ?? 0) >= times);
    if (activeTargets.length > 0 && isThrough) return;
    if (Date.now() > limit) {
      const wrong = activeTargets.map(({ scrapeUrl, health, lastError }) => `${scrapeUrl} ${health} ${lastError}`);
      throw new Error(`not scraped ${times} times within ${SCRAPE_LIMIT_MS} ms: ${wrong.join('; ') || 'no target'}`);
    }
    await pause(scrapeSeconds * 250);
  }
}
