import { expect, it } from 'vitest';
import { GatewayConfig, notices, SECTIONS, type Sections } from '../src/config.js';

const TOKEN = 'sixteen-characters';
const auth = { api: { auth: { enabled: true, token: TOKEN } } };
const tls = { cert_file: '/cert', key_file: '/key' };
const problems = (section: unknown): string[] =>
  (GatewayConfig.safeParse(section).error?.issues ?? []).map((issue) => `${issue.path.join('.')}: ${issue.message}`);

it('listens on loopback by default, with every section optional', () => {
  expect(GatewayConfig.parse({}).listen).toBe('127.0.0.1:8080');
  for (const schema of Object.values(SECTIONS)) expect(() => schema.parse(undefined)).not.toThrow();
});

it.each(['127.0.0.1:1', '127.0.0.2:1', '[::1]:1', 'localhost:1'])('needs nothing more for %s', (listen) => {
  expect(problems({ listen })).toEqual([]);
});

it.each(['0.0.0.0:1', '[::]:1', '10.0.0.5:1', 'gateway.example.com:1', '127.evil.example.com:1'])(
  'refuses %s without a token, and without TLS or a proxy',
  (listen) => {
    expect(problems({ listen })).toHaveLength(2);
    expect(problems({ listen, ...auth })).toEqual([expect.stringContaining('behind_proxy')]);
    expect(problems({ listen, tls })).toEqual([expect.stringContaining('auth.enabled')]);
    expect(problems({ listen, ...auth, tls })).toEqual([]);
    expect(problems({ listen, ...auth, behind_proxy: true })).toEqual([]);
  },
);

const config = (changes: object): Sections =>
  Object.fromEntries(
    Object.entries(SECTIONS).map(([name, schema]) => [name, schema.parse(changes[name as never])]),
  ) as Sections;

it('says which keys do nothing', () => {
  expect(notices(config({}))).toEqual([]);
  expect(
    notices(config({ conversion: { auto_convert: true, cleanup_source: true, python_daemon: { queue_dir: '/q' } } })),
  ).toHaveLength(2);
});

it('limits exports by default, and wants room for one disk at least', () => {
  expect(GatewayConfig.parse({}).export_limits).toEqual({ disks_per_host: 4, disks_per_vcenter: 32 });
  expect(problems({ export_limits: { disks_per_host: 0 } })).toEqual([
    expect.stringContaining('export_limits.disks_per_host'),
  ]);
});

it('wants a token where authentication is on, and no unknown keys', () => {
  expect(problems({ api: { auth: { enabled: true } } })).toEqual([expect.stringContaining('api.auth.token')]);
  expect(problems({ lsten: 'x' })).toHaveLength(1);
});
