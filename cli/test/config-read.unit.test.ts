import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { configPath } from '../src/lib/config/index.js';
import { nearKeys, parseConfig, readConfig } from '../src/lib/config/read.js';
import { SETTINGS } from '../src/lib/config/table.js';
import { UsageError } from '../src/lib/errors.js';

const folder = mkdtempSync(path.join(tmpdir(), 'hyperctl-read-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the configuration', () => {
  it.each([
    ['vsphere: { sever: x }', 'c:1:12: there is no key vsphere.sever; did you mean "vsphere.server"?'],
    [
      'vsphere:\n  password: geheim',
      'c:2:3: vsphere.password: no password belongs here; it comes from VSPHERE_PASSWORD',
    ],
    ['daemons: { go: { uri: x } }', 'c:1:18: there is no key daemons.go.uri; did you mean "daemons.go.url"'],
    ['daemons: { go: { url: "ftp://x" } }', 'c:1:23: daemons.go.url: ftp://x is no address of a gateway'],
    ['daemons: { python: { socket: run.sock } }', 'c:1:30: daemons.python.socket: it has to be an absolute path'],
    ['ui: { color: maybe }', 'c:1:14: ui.color: it has to be true or false'],
    ['ui: { log_level: loud }', 'c:1:18: ui.log_level: it has to be one of debug, info, warn, error'],
    ['daemons: { go: { timeout: 0 } }', 'c:1:27: daemons.go.timeout: it has to be a number of seconds above 0'],
    ['vsphere: { server: 12 }', 'c:1:20: vsphere.server: it has to be text: put it into quotes'],
    ['notifications: { email: nobody }', 'c:1:25: notifications.email: it has to be an e-mail address'],
    ['vsphere: vc', 'c:1:10: vsphere: keys with values are expected'],
    ['- a', 'c:1:1: sections are expected'],
    ['contexts: [a]', 'c:1:11: contexts: names with settings are expected'],
    ['contexts: { -x: {} }', 'c:1:13: contexts: it has to be a name of at most 64'],
    ['contexts: { a: { current_context: b } }', 'c:1:18: contexts.a: current_context is of the whole file'],
    ['contexts: { a: { contexts: {} } }', 'c:1:18: contexts.a: there is no key contexts'],
    ['vsphere: {', 'c:1:11: not valid YAML: Flow map in block collection must be'],
    ['ui: {}\nui: {}', 'c:2:1: not valid YAML: Map keys must be unique'],
  ])('%j', (text, message) => {
    expect(() => parseConfig('c', text)).toThrow(UsageError);
    expect(() => parseConfig('c', text)).toThrow(message);
  });

  it('tells all that is wrong, each with its place, and repeats no secret', () => {
    const text = 'token: "geh eim"\nvsphere:\n  server: ""\n  x: geheim\n  "broken: geheim\n';
    expect(() => parseConfig('c', text)).toThrow(/^c:\d+:\d+: not valid YAML: /);
    expect(() => parseConfig('c', text)).not.toThrow(/geheim/);
    const rest = text.replace(/ {2}"broken.*\n/, '');
    expect(() => parseConfig('c', rest)).toThrow(
      /^c:1:8: token: it holds.*\n {2}c:3:11: vsphere\.server: it is empty\n {2}c:4:3/,
    );
    expect(() => parseConfig('c', rest)).not.toThrow(/geh/);
    expect(() => parseConfig('c', 'daemons: { go: { url: "http://ann:geheim@gw" } }')).toThrow(/holds a login/);
  });

  it('may be of sections without content, of aliases, and of variables for anything', () => {
    const { common, contexts } = parseConfig(
      'c',
      'daemons:\nvsphere: &v { server: vc, insecure: "${LAX}" }\ncontexts: { a: { vsphere: *v }, b: }\n',
    );
    expect([...common]).toEqual([
      ['vsphere.server', 'vc'],
      ['vsphere.insecure', '${LAX}'],
    ]);
    expect([...(contexts.get('a') ?? [])]).toEqual([...common]);
    expect(contexts.get('b')?.size).toBe(0);
  });

  it('holds a token only where nobody else may read it; a variable is none', () => {
    const file = path.join(folder, 'token.yaml');
    writeFileSync(file, 'contexts: { a: { token: geheim } }\n');
    chmodSync(file, 0o640);
    expect(() => readConfig(file)).toThrow(/contexts\.a\.token\) and has mode 0640: others may read it/);
    chmodSync(file, 0o600);
    expect(readConfig(file).contexts.get('a')?.get('token')).toBe('geheim');
    writeFileSync(file, 'contexts: { a: { token: "${TOKEN}" } }\n');
    chmodSync(file, 0o644);
    expect(readConfig(file).contexts.size).toBe(1);
  });

  it('is where the user keeps such files, or where HYPERCTL_CONFIG says', () => {
    expect(readConfig(path.join(folder, 'none.yaml'))).toMatchObject({ exists: false });
    expect(() => readConfig(folder)).toThrow(/cannot be read: it is a directory/);
    expect(configPath({ XDG_CONFIG_HOME: '/x', HOME: '/h' })).toBe('/x/hyper2kvm/config.yaml');
    expect(configPath({ XDG_CONFIG_HOME: '', HOME: '/home/ann' })).toBe('/home/ann/.config/hyper2kvm/config.yaml');
    expect(configPath({ HYPERCTL_CONFIG: '/etc/h.yaml', XDG_CONFIG_HOME: '/x' })).toBe('/etc/h.yaml');
  });
});

it.each([
  ['url', 'daemons.go.url'],
  ['vsphere.sever', 'vsphere.server'],
  ['vsphere.ca-file', 'vsphere.ca_file'],
  ['sever', 'vsphere.server'],
  ['timeout', 'daemons.go.timeout'],
  ['conversion.outputdir', 'conversion.output_dir'],
])('the key %s was meant as %s', (typed, meant) => expect(nearKeys(typed)[0]).toBe(meant));

it('no two settings have one key, flag or variable', () => {
  for (const of of [(s: (typeof ALL)[number]) => [s.key], (s: (typeof ALL)[number]) => s.env ?? []]) {
    const names = ALL.flatMap(of);
    expect(new Set(names).size).toBe(names.length);
  }
});
const ALL = SETTINGS as readonly { key: string; env?: readonly string[] }[];
