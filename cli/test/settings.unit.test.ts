import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { batchBody } from '../src/lib/batch/request.js';
import { convertBody } from '../src/lib/convert-request.js';
import { configOf, settings } from '../src/lib/settings.js';

const folder = mkdtempSync(path.join(tmpdir(), 'hyperctl-settings-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The file of the design document. */
const SEED = configOf(
  parse(`
daemons:
  go: { url: "http://localhost:8080", timeout: 30 }
  python: { socket: "/var/lib/hyper2kvm/output/.daemon/control.sock", timeout: 10 }
vsphere: { server: "vcenter.example.com", username: "automation@vsphere.local", datacenter: "DC1" }
conversion: { fix_network: true, fix_fstab: true, fix_grub: false, output_dir: "/var/lib/hyper2kvm/output" }
notifications: { email: "ops@company.com", slack_webhook: "https://hooks.slack.com/..." }
ui: { show_progress: true, color: true, log_level: "info" }
`),
);

describe('settings', () => {
  it('have every key of the design document', () => {
    expect(settings({}, {}, SEED)).toMatchObject({
      url: 'http://localhost:8080',
      timeoutMs: 30_000,
      vcenter: { server: 'vcenter.example.com', username: 'automation@vsphere.local', datacenter: 'DC1' },
      conversion: { fixNetwork: true, fixFstab: true, fixGrub: false, outputDir: '/var/lib/hyper2kvm/output' },
      notifyEmail: 'ops@company.com',
      showProgress: true,
      color: true,
      logLevel: 'info',
    });
    expect(settings({}, {})).toMatchObject({ url: undefined, timeoutMs: 30_000, color: true, showProgress: true });
  });

  it('turn single fixes on and off', () => {
    expect(settings({ 'skip-network-fix': true, 'fix-grub': true }, {}, SEED).conversion).toMatchObject({
      fixNetwork: false,
      fixGrub: true,
    });
  });

  it('ask the socket where no address stands beside it, for as long as is said of it', () => {
    const python = { socket: '/run/hyper2kvm/gateway.sock', timeout: 10 };
    const file = configOf({ daemons: { go: { timeout: 40 }, python } });
    expect(settings({}, {}, file)).toMatchObject({ url: 'unix:/run/hyper2kvm/gateway.sock', timeoutMs: 10_000 });
    expect(settings({}, { HYPER2KVM_URL: 'http://gw' }, file)).toMatchObject({ url: 'http://gw', timeoutMs: 40_000 });
    expect(settings({}, {}, SEED).notices).toEqual([
      'daemons.python.socket (config.yaml) is not used: daemons.go.url (file) names the gateway',
    ]);
    const plain = configOf({ daemons: { python: { socket: '/run/g.sock' } } });
    expect(settings({}, { HYPER2KVM_TIMEOUT: '7' }, plain).timeoutMs).toBe(7_000);
  });

  it.each([
    // --no-color, environment, ui.color, a terminal?, coloured?
    [{}, {}, true, true, true],
    [{}, {}, true, false, false],
    [{}, {}, false, true, false],
    [{}, { NO_COLOR: '1' }, true, true, false],
    [{}, { NO_COLOR: '' }, true, true, true],
    [{}, { FORCE_COLOR: '1' }, false, false, true],
    [{}, { FORCE_COLOR: '0' }, true, true, false],
    [{}, { FORCE_COLOR: '1', NO_COLOR: '1' }, true, false, true],
    [{}, { TERM: 'dumb' }, true, true, false],
    [{}, { TERM: 'xterm-256color' }, true, true, true],
    [{ 'no-color': true }, { FORCE_COLOR: '1' }, true, true, false],
  ])('colours: %j %j ui.color=%j TTY=%j: %j', (flags, env, color, isTTY, expected) => {
    expect(settings(flags, env, configOf({ ui: { color } })).colorOn({ isTTY })).toBe(expected);
  });

  it('read a token of a file that nobody else may read, and the CA of the gateway', () => {
    const token = path.join(folder, 'token');
    writeFileSync(token, 'geheim\n', { mode: 0o600 });
    const said = { token_file: 'token', ca_file: token };
    const inFolder = configOf(said, path.join(folder, 'config.yaml'));
    expect(settings({}, {}, inFolder).token).toBe('geheim');
    expect(() => settings({}, {}, inFolder).ca).toThrow(/ca_file: .*token holds no certificate/);
    const open = path.join(folder, 'open');
    writeFileSync(open, 'geheim\n', { mode: 0o644 });
    expect(() => settings({}, { HYPER2KVM_TOKEN_FILE: open }).token).toThrow(/mode 0644: others may read it/);
  });

  it('replace variables, and need only those of what is asked for', () => {
    const file = configOf({ vsphere: { server: '${VCENTER}', insecure: '${LAX}' }, ui: { color: true } });
    expect(settings({}, { VCENTER: 'vc', LAX: 'yes' }, file).vcenter).toMatchObject({ server: 'vc', insecure: true });
    expect(settings({}, {}, file).color).toBe(true);
    expect(() => settings({}, {}, file).vcenter).toThrow(
      'config.yaml: vsphere.server: the environment variable VCENTER is not set',
    );
    expect(() => settings({}, { VCENTER: 'a b', LAX: '' }, file).vcenter).toThrow(/vsphere\.server: a host name/);
  });
});

describe('the request of a conversion', () => {
  const base = settings({});
  const db = { vmName: 'db', source: undefined };
  it('holds what was said and nothing else', () => {
    expect(convertBody(db, {}, base)).toEqual({ vm_name: 'db', vcenter: {}, options: {} });
    const all = settings({ vcenter: 'vc', insecure: true, 'skip-network-fix': true, notify: 'a@b.de' });
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

  it('has Slack told of the end, beside a callback that is asked for', () => {
    const slack = 'https://hooks.slack.com/services/x';
    const own = settings({}, {}, configOf({ notifications: { slack_webhook: slack } }));
    expect(convertBody(db, {}, own).options).toEqual({ slack_webhook: slack });
    const callback = 'https://cmdb.example.com/done';
    expect(convertBody(db, { 'callback-url': callback }, own).options).toEqual({
      callback_url: callback,
      slack_webhook: slack,
    });
    // A context is of the file, which `own` has read: with flags alone there is none.
    const flags = { context: 'prod' };
    const batch = batchBody({ plan: { vms: ['db'] }, flags, own, keys: [], convert: true });
    expect(batch).toMatchObject({ slack_webhook: slack });
    expect(batch.options).not.toHaveProperty('slack_webhook');
    const other = `${slack}-of-the-plan`;
    const plan = { vms: ['db'], slack_webhook: other };
    expect(batchBody({ plan, flags, own, keys: [], convert: true }).slack_webhook).toBe(other);
    const said = { 'slack-webhook': `${slack}-of-the-flag` };
    expect(batchBody({ plan, flags: said, own, keys: [], convert: true }).slack_webhook).toBe(said['slack-webhook']);
    const wrong = settings({ 'slack-webhook': 'geheim' }, {}, configOf({}));
    expect(() => convertBody(db, {}, wrong)).toThrow(/^--slack-webhook: (?!.*geheim)/);
    const env = { HYPER2KVM_SLACK_WEBHOOK: 'geheim' };
    expect(() => settings({}, env, configOf({})).slackWebhook).toThrow(/HYPER2KVM_SLACK_WEBHOOK(?!.*geheim)/);
  });

  it('sends nothing of a configured vCenter with files', () => {
    const all = settings({}, { VSPHERE_SERVER: 'vc', VSPHERE_USERNAME: 'u' });
    const source = { kind: 'ova', path: '/srv/web.ova' } as const;
    expect(convertBody({ vmName: 'web', source }, {}, all)).toEqual({
      vm_name: 'web',
      vcenter: {},
      source,
      options: {},
    });
  });

  it('names the flag that is wrong', () => {
    const wrong = settings({ 'output-dir': 'relative', notify: 'nobody' });
    expect(() => convertBody(db, {}, wrong)).toThrow(/--notify: .*--output-dir: /);
    const noCa = settings({ 'ca-file': '/nowhere/ca.pem' });
    expect(() => convertBody(db, {}, noCa)).toThrow(/--ca-file/);
    const source = { kind: 'disks' as const, disks: [{ path: '/a.raw', checksum: 'sha256:12' }] };
    expect(() => convertBody({ vmName: 'x', source }, {}, base)).toThrow(/^--checksum: md5:, sha1: or sha256:/);
  });
});
