import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { prepareConfig } from '../src/stack/config-file.js';
import { makeFolders, resolveHome, stackPaths, type StackPaths } from '../src/stack/home.js';
import { identify, isAlive, signal } from '../src/stack/processes.js';

let paths: StackPaths;
beforeEach(() => {
  paths = stackPaths(mkdtempSync(path.join(tmpdir(), 'hyperctl-stack-')));
  makeFolders(paths);
});
afterEach(() => rmSync(paths.home, { recursive: true, force: true }));

const mode = (file: string): number => statSync(file).mode & 0o777;
const config = (): Record<string, Record<string, unknown>> => parse(readFileSync(paths.config, 'utf8')) as never;

describe('the configuration of the local stack', () => {
  it('is made once: key, passwords and ports are kept', async () => {
    const first = await prepareConfig(paths, { set: [] });
    const text = readFileSync(paths.config, 'utf8');
    const key = readFileSync(paths.keyFile, 'utf8');
    expect(Buffer.from(key, 'base64')).toHaveLength(32);
    expect([mode(paths.keyFile), mode(paths.config)]).toEqual([0o600, 0o600]);
    expect(await prepareConfig(paths, { set: [] })).toEqual(first);
    expect(readFileSync(paths.config, 'utf8')).toBe(text);
    expect(readFileSync(paths.keyFile, 'utf8')).toBe(key);
    expect(first.gateway.port).toBeGreaterThanOrEqual(8080);
    expect(config()['exporter']).toMatchObject({ allowed_roots: [path.join(paths.home, 'import')] });
  });

  it('takes --set, typed, and keeps it', async () => {
    await prepareConfig(paths, {
      set: ['notifier.smtp.port=2525', 'notifier.smtp.host=127.0.0.1', 'exporter.work_dir=/srv/w'],
    });
    await prepareConfig(paths, { set: ['retry_policy.max_retries=0'] });
    expect(config()).toMatchObject({
      notifier: { smtp: { port: 2525, host: '127.0.0.1' } },
      exporter: { work_dir: '/srv/w' },
      retry_policy: { max_retries: 0 },
    });
    await prepareConfig(paths, { set: ['notifier.smtp.host='] });
    expect(config()['notifier']).toMatchObject({ smtp: { port: 2525 } });
    expect(config()['notifier']?.['smtp']).not.toHaveProperty('host');
    await expect(prepareConfig(paths, { set: ['nonsense'] })).rejects.toThrow(/key\.path=value/);
  });

  it('moves away from a port that somebody else has taken, but not from one that was asked for', async () => {
    const first = await prepareConfig(paths, { set: [] });
    const squatter = createServer().listen(first.nats.port, '127.0.0.1');
    await once(squatter, 'listening');
    try {
      const second = await prepareConfig(paths, { set: [] });
      expect(second.nats.port).not.toBe(first.nats.port);
      expect(second.database).toEqual(first.database);
      expect(config()['nats']?.['servers']).toEqual([`127.0.0.1:${second.nats.port}`]);
      const { port } = squatter.address() as AddressInfo;
      await expect(prepareConfig(paths, { set: [], port })).rejects.toThrow(/taken by another program/);
    } finally {
      squatter.close();
    }
  });

  it('has folders that only those may enter who must', () => {
    expect([paths.work, paths.secrets, paths.imports, paths.output].map(mode)).toEqual([0o700, 0o700, 0o750, 0o711]);
    expect(mode(paths.home) & 0o001).toBe(1);
    expect(resolveHome('/a', { HYPER2KVM_HOME: '/b' })).toBe('/a');
    expect(resolveHome(undefined, { HYPER2KVM_HOME: '/b' })).toBe('/b');
  });
});

describe('a process that is named by number and start time', () => {
  it('is not mistaken for another with the same number', () => {
    const self = identify(process.pid);
    expect(self && isAlive(self)).toBe(true);
    const stale = { pid: process.pid, start_time: (self?.start_time ?? 0) - 1 };
    expect(isAlive(stale)).toBe(false);
    // Would end this very test run.
    signal(stale, 'SIGKILL');
  });
});
