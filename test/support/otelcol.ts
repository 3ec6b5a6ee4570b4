/** A real OpenTelemetry collector that writes what it takes into files; `node scripts/setup.mjs` builds it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { readSpans, type ReceivedSpan } from './otlp.js';
import { freePort } from './ports.js';

const START_MS = 30_000;

/** A record of a log, as OTLP has it in JSON. */
export interface ReceivedLog {
  readonly service: string;
  readonly severityText: string;
  readonly body: string;
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface Otelcol {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT or telemetry.otlp_endpoint. */
  readonly endpoint: string;
  spans(): Promise<ReceivedSpan[]>;
  logs(): Promise<ReceivedLog[]>;
  /** Ends it; what it took stays. */
  down(): Promise<void>;
  /** Starts it again at the same place. */
  up(): Promise<void>;
  stop(): Promise<void>;
}

async function program(): Promise<string> {
  const cache = process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache');
  const file = path.join(cache, 'hyper2kvm', 'bin', 'hyper2kvm-otelcol');
  await access(file).catch(() => {
    throw new Error(`${file} is missing: run "node scripts/setup.mjs"`);
  });
  return file;
}

/** What the collector says of a configuration; empty: nothing is wrong with it. */
export async function validate(file: string): Promise<string> {
  const { exitCode, stderr } = await execa(await program(), ['validate', '--config', file], { reject: false });
  return exitCode === 0 ? '' : stderr;
}

const pipeline = (name: string) => ({ receivers: ['otlp'], processors: ['memory_limiter'], exporters: [name] });

export async function startOtelcol(): Promise<Otelcol> {
  const folder = await mkdtemp(path.join(tmpdir(), 'h2k-otelcol-'));
  const config = path.join(folder, 'config.yaml');
  const port = await freePort();
  const file = (name: string): string => path.join(folder, `${name}.jsonl`);
  // JSON is YAML.
  await writeFile(
    config,
    JSON.stringify({
      receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
      processors: { memory_limiter: { check_interval: '1s', limit_mib: 200 } },
      exporters: Object.fromEntries(
        ['traces', 'logs'].map((name) => [
          `file/${name}`,
          { path: file(name), append: true, flush_interval: '100ms', create_directory: false },
        ]),
      ),
      service: {
        pipelines: { traces: pipeline('file/traces'), logs: pipeline('file/logs') },
        telemetry: { metrics: { level: 'none' } },
      },
    }),
  );
  const command = await program();
  const endpoint = `http://127.0.0.1:${port}`;
  let child: ReturnType<typeof spawn> | undefined;
  const down = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  const up = async (): Promise<void> => {
    const started = spawn(command, ['--config', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    child = started;
    let log = '';
    started.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
    for (const limit = Date.now() + START_MS; !(await takes(endpoint));) {
      if (started.exitCode !== null || Date.now() > limit) throw new Error(`the collector did not start: ${log}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const stop = async (): Promise<void> => {
    await down();
    await rm(folder, { recursive: true, force: true });
  };
  await up().catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const read = async (name: string): Promise<string[]> =>
    (await readFile(file(name), 'utf8')).split('\n').filter((line) => line !== '' && isWhole(line));
  return {
    endpoint,
    spans: async () => (await read('traces')).flatMap(readSpans),
    logs: async () => (await read('logs')).flatMap(readLogs),
    down,
    up,
    stop,
  };
}

const takes = async (endpoint: string): Promise<boolean> =>
  fetch(`${endpoint}/v1/traces`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }).then(
    async (response) => {
      await response.arrayBuffer();
      return response.ok;
    },
    () => false,
  );

/** The last line may be half written. */
function isWhole(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

interface Pair {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}
interface RawLog {
  readonly severityText: string;
  readonly body: { readonly stringValue?: string };
  readonly traceId?: string;
  readonly spanId?: string;
  readonly attributes?: readonly Pair[];
}
interface Logs {
  readonly resourceLogs: readonly {
    readonly resource: { readonly attributes: readonly Pair[] };
    readonly scopeLogs: readonly { readonly logRecords: readonly RawLog[] }[];
  }[];
}

/** Whole numbers are texts in the JSON of protobuf. */
const valuesOf = (pairs: readonly Pair[] = []): Record<string, unknown> =>
  Object.fromEntries(
    pairs.map(({ key, value }) => [key, 'intValue' in value ? Number(value['intValue']) : Object.values(value)[0]]),
  );
const filled = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

const readLogs = (line: string): ReceivedLog[] =>
  (JSON.parse(line) as Logs).resourceLogs.flatMap(({ resource, scopeLogs }) =>
    scopeLogs.flatMap(({ logRecords }) =>
      logRecords.map((record) => ({
        service: String(valuesOf(resource.attributes)['service.name']),
        severityText: record.severityText,
        body: record.body.stringValue ?? '',
        traceId: filled(record.traceId),
        spanId: filled(record.spanId),
        attributes: valuesOf(record.attributes),
      })),
    ),
  );
