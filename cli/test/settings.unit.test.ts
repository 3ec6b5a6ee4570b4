import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { convertBody } from '../src/lib/convert-request.js';
import { UsageError } from '../src/lib/errors.js';
import { configPath, readConfigFile, settings } from '../src/lib/settings.js';

const folder = mkdtempSync(path.join(tmpdir(), 'hyperctl-settings-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (text: string): string => {
  const name = path.join(folder, 'config.yaml');
  writeFileSync(name, text);
  return name;
};
/** The file of the design document. */
const SEED = `
daemons:
  go: { url: "http://localhost:8080", timeout: 30 }
  python: { socket: "/var/lib/hyper2kvm/output/.daemon/control.sock", timeout: 10 }
vsphere: { server: "vcenter.example.com", username: "automation@vsphere.local", datacenter: "DC1" }
conversion: { fix_network: true, fix_fstab: true, fix_grub: false, output_dir: "/var/lib/hyper2kvm/output" }
notifications: { email: "ops@company.com", slack_webhook: "https://hooks.slack.com/..." }
ui: { show_progress: true, color: true, log_level: "info" }
`;

describe('settings', () => {
  const read = readConfigFile(file(SEED));
  const from = (flags: object, env: NodeJS.ProcessEnv = {}, tree = read): ReturnType<typeof settings> =>
    settings(flags, env, tree, 'config.yaml');

  it('take the flag before the environment before the file before the default', () => {
    const env = { HYPER2KVM_URL: 'http://env', VSPHERE_SERVER: 'env', VSPHERE_USERNAME: '' };
    expect(from({ url: 'http://flag', vcenter: 'flag' }, env)).toMatchObject({
      url: 'http://flag',
      vcenter: { server: 'flag' },
    });
    expect(from({}, env)).toMatchObject({
      url: 'http://env',
      vcenter: { server: 'env', username: 'automation@vsphere.local' },
    });
    expect(from({})).toMatchObject({ url: 'http://localhost:8080', timeoutMs: 30_000, notifyEmail: 'ops@company.com' });
    expect(from({}, {}, {})).toMatchObject({
      url: undefined,
      timeoutMs: 30_000,
      color: true,
      vcenter: { insecure: undefined },
    });
  });

  it('turn single fixes on and off', () => {
    expect(from({}).conversion).toMatchObject({ fixNetwork: true, fixGrub: false });
    expect(from({ 'skip-network-fix': true, 'fix-grub': true }).conversion).toMatchObject({
      fixNetwork: false,
      fixGrub: true,
    });
  });

  it('give way to NO_COLOR and --no-color', () => {
    expect(from({}, { NO_COLOR: '' }).color).toBe(true);
    expect(from({}, { NO_COLOR: '1' }).color).toBe(false);
    expect(from({ 'no-color': true }).color).toBe(false);
  });

  it('name keys that have no effect', () => {
    expect(from({}).notices.map((notice) => notice.split(' ')[1])).toEqual([
      'daemons.python',
      'notifications.slack_webhook',
    ]);
  });

  it.each([
    ['vsphere: { sever: x }', /unknown key vsphere\.sever/],
    ['vsphere: { password: x }', /unknown key vsphere\.password .*VSPHERE_PASSWORD/],
    ['daemons: { go: { uri: x } }', /unknown key daemons\.go\.uri/],
    ['daemons: { go: { url: "ftp://x" } }', /daemons\.go\.url: http:.* or unix:/],
    ['ui: { color: maybe }', /ui\.color: .*boolean/],
    ['{', /not valid YAML/],
    ['- a', /whole file/],
  ])('refuse %s', (text, message) => {
    const name = file(text);
    expect(() => readConfigFile(name)).toThrow(UsageError);
    expect(() => readConfigFile(name)).toThrow(message);
  });

  it('take a unix socket for the gateway', () => {
    const name = file('daemons: { go: { url: "unix:/run/hyper2kvm/gateway.sock" } }');
    expect(from({}, {}, readConfigFile(name)).url).toBe('unix:/run/hyper2kvm/gateway.sock');
  });

  it('do without a file', () => {
    expect(readConfigFile(path.join(folder, 'none.yaml'))).toEqual({});
    expect(configPath({ XDG_CONFIG_HOME: '/x' })).toBe('/x/hyper2kvm/config.yaml');
    expect(configPath({ HOME: '/home/ann' })).toBe('/home/ann/.config/hyper2kvm/config.yaml');
  });
});

describe('the request of a conversion', () => {
  const base = settings({}, {}, {}, '');
  const db = { vmName: 'db', source: undefined };
  it('holds what was said and nothing else', () => {
    expect(convertBody(db, {}, base)).toEqual({ vm_name: 'db', vcenter: {}, options: {} });
    const all = settings({ vcenter: 'vc', insecure: true, 'skip-network-fix': true, notify: 'a@b.de' }, {}, {}, '');
    const flags = {
      tags: 'a, b,,',
      priority: 'high',
      'verify-boot': true,
      transport: 'datastore',
      bandwidth: '200M',
      'source-power': 'off',
    } as const;
    expect(convertBody(db, flags, all)).toEqual({
      vm_name: 'db',
      vcenter: { server: 'vc', insecure: true },
      options: {
        priority: 'high',
        fix_network: false,
        verify_boot: true,
        notify_email: 'a@b.de',
        tags: ['a', 'b'],
        transport: 'datastore',
        bandwidth_bytes_per_second: 200_000_000,
        source_power: 'off',
      },
    });
  });

  it('sends nothing of a configured vCenter with files', () => {
    const all = settings({}, { VSPHERE_SERVER: 'vc', VSPHERE_USERNAME: 'u' }, {}, '');
    const source = { kind: 'ova', path: '/srv/web.ova' } as const;
    expect(convertBody({ vmName: 'web', source }, {}, all)).toEqual({
      vm_name: 'web',
      vcenter: {},
      source,
      options: {},
    });
  });

  it('names the flag that is wrong', () => {
    const wrong = settings({ 'output-dir': 'relative', notify: 'nobody' }, {}, {}, '');
    expect(() => convertBody(db, {}, wrong)).toThrow(/--notify: .*--output-dir: /);
    const noCa = settings({ 'ca-file': '/nowhere/ca.pem' }, {}, {}, '');
    expect(() => convertBody(db, {}, noCa)).toThrow(/--ca-file/);
    const source = { kind: 'disks' as const, disks: [{ path: '/a.raw', checksum: 'sha256:12' }] };
    expect(() => convertBody({ vmName: 'x', source }, {}, base)).toThrow(/^--checksum: md5:, sha1: or sha256:/);
  });
});
