import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { CliError } from '../lib/errors.js';
import type { StackConfig } from './config-file.js';
import type { StackPaths } from './home.js';
import type { ServiceSpec } from './supervise.js';

/** Debian puts daemons where a user's PATH does not look. */
const MORE_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/bin'];

function find(): string {
  const folders = [...(process.env['PATH'] ?? '').split(':'), ...MORE_FOLDERS];
  const found = folders
    .filter(Boolean)
    .map((folder) => path.join(folder, 'nats-server'))
    .find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new CliError('nats-server is not installed', { advice: 'apt-get install nats-server, or: npm run setup' });
}

export function natsSpec(paths: StackPaths, config: StackConfig): ServiceSpec {
  const command = find();
  const { port, user, password } = config.nats;
  // A file of mode 0600 and not arguments: these are everybody's to read.
  const lines = [
    `host: "127.0.0.1"`,
    `port: ${port}`,
    `jetstream { store_dir: ${JSON.stringify(paths.nats)} }`,
    `authorization { user: ${JSON.stringify(user)}, password: ${JSON.stringify(password)} }`,
  ];
  writeFileSync(paths.natsConfig, `${lines.join('\n')}\n`, { mode: 0o600 });
  return {
    name: 'nats',
    command,
    args: ['-c', paths.natsConfig],
    version: /v?(\d+\.\S+)/.exec(execFileSync(command, ['--version']).toString())?.[1] ?? 'unknown',
    port,
    isReady: () => greets(port),
    stopSignal: 'SIGTERM',
    stopLimitMs: 15_000,
  };
}

/** A NATS server speaks first: `INFO {…}`. */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 1000 });
    const end = (ready: boolean): void => {
      socket.destroy();
      resolve(ready);
    };
    socket.once('data', (data) => end(data.toString('latin1').startsWith('INFO')));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}
