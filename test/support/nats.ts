import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from './ports.js';

export interface NatsServer {
  readonly port: number;
  readonly servers: string[];
  /** Ends it, gently or not, and keeps its data. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same port with the same data. */
  start(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** A real nats-server with JetStream on loopback. */
export async function startNats(): Promise<NatsServer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'h2k-nats-'));
  const port = await freePort();
  let child: ReturnType<typeof spawn> | undefined;
  const start = async (): Promise<void> => {
    const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/local/sbin:/usr/sbin` };
    child = spawn('nats-server', ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', folder], {
      stdio: 'ignore',
      env,
    });
    for (let tries = 0; ; tries += 1) {
      if (await listens(port)) return;
      if (tries > 200) throw new Error('nats-server does not listen');
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  };
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  };
  await start();
  return {
    port,
    servers: [`127.0.0.1:${port}`],
    kill,
    start,
    stop: async () => {
      await kill('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const listens = async (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
