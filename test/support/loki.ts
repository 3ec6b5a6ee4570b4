/** Grafana Loki with deploy/grafana/loki.yaml, on free ports of loopback. `node scripts/setup.mjs --loki` builds it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from './ports.js';
import { GRAFANA } from './prometheus.js';

const START_MS = 60_000;

const program = path.join(process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache'), 'hyper2kvm/bin/loki');
/** Building it takes some ten minutes of CPU: only who asked for it has it. */
export const hasLoki = existsSync(program);

export interface Loki {
  /** For OTEL_EXPORTER_OTLP_LOGS_ENDPOINT. */
  readonly logsEndpoint: string;
  /** Lines, or points of a metric query, of the last hour. Throws what Loki says of the query. */
  query(expression: string): Promise<{ labels: Record<string, string>; values: [string, string][] }[]>;
  stop(): Promise<void>;
}

export async function startLoki(): Promise<Loki> {
  const folder = await mkdtemp(path.join(tmpdir(), 'h2k-loki-'));
  const text = await readFile(path.join(GRAFANA, 'loki.yaml'), 'utf8');
  const config = path.join(folder, 'loki.yaml');
  const [http, grpc] = [await freePort(), await freePort()];
  await writeFile(config, text.replaceAll(/: \/loki/g, `: ${folder}/data`));
  const child = spawn(
    program,
    [`-config.file=${config}`, `-server.http-listen-port=${http}`, `-server.grpc-listen-port=${grpc}`],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const stop = async (): Promise<void> => {
    await end(child);
    await rm(folder, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${http}`;
  const limit = Date.now() + START_MS;
  // Its own /ready waits for fifteen seconds more, in which it takes and gives lines already.
  while (!(await answers(`${url}/loki/api/v1/labels`))) {
    if (child.exitCode !== null || Date.now() > limit) {
      await stop();
      throw new Error(`Loki did not start: ${log.slice(-2000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    logsEndpoint: `${url}/otlp/v1/logs`,
    query: async (expression) => {
      const response = await fetch(`${url}/loki/api/v1/query_range?query=${encodeURIComponent(expression)}`);
      if (!response.ok) throw new Error(`${await response.text()}: ${expression}`);
      const { data } = (await response.json()) as {
        data: {
          result: { stream?: Record<string, string>; metric?: Record<string, string>; values: [string, string][] }[];
        };
      };
      return data.result.map(({ stream, metric, values }) => ({ labels: stream ?? metric ?? {}, values }));
    },
    stop,
  };
}

const answers = async (url: string): Promise<boolean> =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
