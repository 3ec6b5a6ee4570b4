import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError, loadConfig } from '../src/index.js';

const exporter = z
  .strictObject({ work_dir: z.string().default('/w'), slots: z.number().int().default(2) })
  .prefault({});
let folder: string;
const load = (yaml: string, env: NodeJS.ProcessEnv = {}) => {
  const file = path.join(folder, 'config.yaml');
  writeFileSync(file, yaml);
  return loadConfig({ exporter }, { HYPER2KVM_CONFIG: file, ...env });
};

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'h2k-config-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the configuration', () => {
  it('has defaults for everything', () => {
    expect(load('')).toMatchObject({
      nats: { servers: ['127.0.0.1:4222'], replicas: 1 },
      exporter: { work_dir: '/w', slots: 2 },
    });
  });

  it('expands variables, and says which one is missing', () => {
    expect(load('nats:\n  password: "${PW}"', { PW: 'x' }).nats.password).toBe('x');
    expect(() => load('nats:\n  password: "${PW}"')).toThrow(/nats\.password: the environment variable PW is not set/);
  });

  it('lets the environment override every key', () => {
    const env = { HYPER2KVM_EXPORTER__SLOTS: '5', HYPER2KVM_NATS__SERVERS: '["a:1","b:2"]' };
    expect(load('exporter:\n  slots: 3', env)).toMatchObject({
      exporter: { slots: 5 },
      nats: { servers: ['a:1', 'b:2'] },
    });
  });

  it('refuses unknown sections, unknown keys and bad values, each with its path', () => {
    let message = '';
    try {
      load('exportr: {}\nexporter:\n  slot: 1\n  slots: many\nnats:\n  replicas: 9');
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      message = (error as Error).message;
    }
    expect(message).toMatch(/exportr: unknown section/);
    expect(message).toMatch(/exporter.*slot/s);
    expect(message).toMatch(/exporter\.slots: .*number/);
    expect(message).toMatch(/nats\.replicas/);
  });

  it('leaves the sections of other services to them', () => {
    expect(load('converter:\n  whatever: 1').exporter.slots).toBe(2);
  });

  it('accepts keys of the old daemons with a notice', () => {
    const file = path.join(folder, 'config.yaml');
    writeFileSync(
      file,
      'exporter:\n  slots: 4\n  queue_dir: /q\nconversion:\n  python_daemon:\n    control_socket: /s',
    );
    const notices: string[] = [];
    const config = loadConfig({ exporter }, { HYPER2KVM_CONFIG: file }, (text) => notices.push(text));
    expect(config.exporter.slots).toBe(4);
    expect(notices).toEqual([
      expect.stringMatching(/^exporter\.queue_dir has no meaning/),
      expect.stringMatching(/^conversion\.python_daemon has no/),
    ]);
  });

  it('takes a text from the environment as it is, whatever it looks like', () => {
    for (const password of ['123456', 'true', '*alias', 'a: b', '#x', '"', '[', '!tag', 'p@ss #1', ' '])
      expect(load('', { HYPER2KVM_NATS__PASSWORD: password }).nats.password).toBe(password);
    expect(() => load('', { HYPER2KVM_EXPORTER__SLOTS: '*s3cret' })).toThrow(/^(?!.*s3cret).*exporter\.slots/s);
    expect(load('exporter:\n  slots: 3', { HYPER2KVM_EXPORTER: '7', HYPER2KVM_NATS__REPLICAS: '3' })).toMatchObject({
      nats: { replicas: 3 },
      exporter: { slots: 3 },
    });
  });

  it('never shows a line of the file, which may hold a password', () => {
    for (const yaml of [
      'nats:\n  password: s3cret: x',
      'nats:\n  password: *s3cret',
      'nats:\n  password: "s3cret',
      's3cret',
    ])
      expect(() => load(yaml)).toThrow(/^(?!.*s3cret).*is not valid YAML/s);
    expect(() => load('nats:\n  password: s3cret: x')).toThrow(/line 2, column/);
  });

  it('cannot be used to reach the prototype of objects', () => {
    expect(() => load('__proto__:\n  polluted: 1\nnats:\n  __proto__: {polluted: 1}')).toThrow(/unknown section/);
    const env = {
      HYPER2KVM_CONSTRUCTOR__PROTOTYPE__POLLUTED: '1',
      HYPER2KVM_NATS__CONSTRUCTOR__PROTOTYPE__POLLUTED: '1',
    };
    expect(() => load('', env)).toThrow(/constructor/);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect((Object as unknown as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('cannot be changed', () => {
    const config = load('');
    expect(() => Object.assign(config.exporter, { slots: 9 })).toThrow(TypeError);
  });

  it('names a file that cannot be read', () => {
    expect(() => loadConfig({}, { HYPER2KVM_CONFIG: '/nonexistent/x.yaml' })).toThrow(
      /\/nonexistent\/x\.yaml cannot be read/,
    );
  });
});
