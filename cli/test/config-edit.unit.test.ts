import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { parse, parseDocument } from 'yaml';
import { renameKey, setValue, unsetValue } from '../src/lib/config/edit.js';
import { changeConfig } from '../src/lib/config/write.js';

const FILE = `# mine

daemons:
    go:
        url: "http://old:8080"   # the old one
        timeout: 30

    python: { socket: "/a.sock", timeout: 10 }

vsphere:
    server: 'vc' # main
    # Password: VSPHERE_PASSWORD

ui: {color: true}
`;
/** What is otherwise: lines that went, and lines that came. */
function difference(before: string, after: string): string[] {
  const [old, now] = [before.split('\n'), after.split('\n')];
  return [
    ...old.filter((line) => !now.includes(line)).map((line) => `-${line}`),
    ...now.filter((line) => !old.includes(line)).map((line) => `+${line}`),
  ];
}
const set = (key: string, value: string | number | boolean) => difference(FILE, setValue(FILE, key.split('.'), value));
const unset = (key: string) => difference(FILE, unsetValue(FILE, key.split('.')) ?? 'not there');

describe('a change of the file', () => {
  it.each([
    [
      'daemons.go.url',
      'http://new',
      ['-        url: "http://old:8080"   # the old one', '+        url: "http://new"   # the old one'],
    ],
    [
      'daemons.python.timeout',
      20,
      ['-    python: { socket: "/a.sock", timeout: 10 }', '+    python: { socket: "/a.sock", timeout: 20 }'],
    ],
    ['vsphere.datacenter', 'DC1', ['+    datacenter: DC1']],
    ['ui.log_level', 'warn', ['-ui: {color: true}', '+ui: {color: true, log_level: warn}']],
    ['ui.color', false, ['-ui: {color: true}', '+ui: {color: false}']],
    [
      'contexts.prod.daemons.go.url',
      'https://gw',
      ['+contexts:', '+    prod:', '+        daemons:', '+            go:', '+                url: https://gw'],
    ],
  ])('%s: touches nothing else', (key, value, expected) => expect(set(key, value)).toEqual(expected));

  it('takes out one value, and what is empty then', () => {
    expect(unset('vsphere.server')).toEqual(['-vsphere:', "-    server: 'vc' # main"]);
    expect(unset('daemons.python.socket')).toEqual([
      '-    python: { socket: "/a.sock", timeout: 10 }',
      '+    python: { timeout: 10 }',
    ]);
    expect(unset('ui.color')).toEqual(['-ui: {color: true}']);
    expect(unsetValue(FILE, ['ui', 'log_level'])).toBeUndefined();
    expect(unsetValue(FILE, ['vsphere', 'server', 'x'])).toBeUndefined();
  });

  it('leaves a context that says nothing any more', () => {
    const text = 'contexts:\n    lab: # mine\n        ui: { color: true }\n    prod: { token: x }\n';
    expect(unsetValue(text, ['contexts', 'lab', 'ui', 'color'], 2)).toBe(text.replace(/ +ui: .*\n/, ''));
    expect(parse(unsetValue(text, ['contexts', 'prod', 'token'], 2) ?? '')).toMatchObject({ contexts: { prod: {} } });
  });

  it('begins a file, and goes on after one of comments', () => {
    expect(setValue('', ['vsphere', 'server'], 'vc')).toBe('vsphere:\n  server: vc\n');
    expect(setValue('# mine', ['token'], 'abc')).toBe('# mine\ntoken: abc\n');
    expect(setValue('vsphere:\n', ['vsphere', 'server'], 'vc')).toBe('vsphere:\n  server: vc\n');
  });

  it('gives a key another name', () => {
    expect(renameKey('contexts:\n  lab: {} # mine\n', ['contexts', 'lab'], 'x')).toBe('contexts:\n  x: {} # mine\n');
  });

  const word = fc.constantFrom('a', 'b', 'c', 'true', '1');
  const value = fc.oneof(fc.string({ maxLength: 12 }), fc.boolean(), fc.integer());
  const tree = fc.dictionary(word, fc.oneof(value, fc.dictionary(word, fc.oneof(value, fc.dictionary(word, value)))));
  it('sets what was asked for and nothing else, whatever the file', () => {
    fc.assert(
      fc.property(tree, fc.array(word, { minLength: 1, maxLength: 3 }), value, fc.boolean(), (had, at, now, flow) => {
        const document = parseDocument(JSON.stringify(had));
        const text = flow ? JSON.stringify(had) : blockOf(had);
        let changed: string;
        try {
          changed = setValue(text, at, now);
        } catch (error) {
          expect(String(error)).toContain('is no mapping');
          return;
        }
        document.setIn(at, now);
        expect(parse(changed) ?? {}).toEqual(document.toJS());
        const back = unsetValue(changed, at);
        expect(back).toBeDefined();
        expect(parseDocument(back ?? '').hasIn(at)).toBe(false);
      }),
    );
  });
});

/** As people write it. */
function blockOf(tree: object, indent = ''): string {
  return Object.entries(tree)
    .map(([key, value]: [string, unknown]) =>
      typeof value === 'object' && value !== null
        ? Object.keys(value).length === 0
          ? `${indent}"${key}": {} # none\n`
          : `${indent}"${key}":\n${blockOf(value, `${indent}   `)}`
        : `${indent}# ${key}\n${indent}"${key}": ${JSON.stringify(value)}  # c\n`,
    )
    .join('');
}

const mode = (file: string): string => (statSync(file).mode & 0o777).toString(8);

describe('the file', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hyperctl-config-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is made with its folder for nobody else, and keeps its mode until a token stands in it', () => {
    const file = path.join(folder, 'new', 'config.yaml');
    changeConfig(file, () => 'ui: { color: true }\n');
    expect([mode(file), mode(path.dirname(file))]).toEqual(['600', '700']);
    chmodSync(file, 0o644);
    changeConfig(file, (text) => setValue(text, ['ui', 'color'], false));
    changeConfig(file, (text) => setValue(text, ['contexts', 'a', 'token'], '${TOKEN}'));
    expect(mode(file)).toBe('644');
    changeConfig(file, (text) => setValue(text, ['contexts', 'a', 'token'], 'geheim'));
    expect(mode(file)).toBe('600');
    expect(readdirSync(path.dirname(file))).toEqual(['config.yaml']);
  });

  it('stays a link, and takes up what somebody else wrote meanwhile', () => {
    const [file, link] = [path.join(folder, 'real.yaml'), path.join(folder, 'link.yaml')];
    writeFileSync(file, 'ui: { color: true }\n');
    symlinkSync(file, link);
    let asked = 0;
    changeConfig(link, (text) => {
      asked += 1;
      if (asked === 1) writeFileSync(file, 'ui: { color: false }\n');
      return setValue(text, ['vsphere', 'server'], 'vc');
    });
    expect(readFileSync(link, 'utf8')).toBe('ui: { color: false }\nvsphere:\n  server: vc\n');
    expect(statSync(file).isFile() && readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('is left alone where it is no YAML', () => {
    const file = path.join(folder, 'broken.yaml');
    writeFileSync(file, 'vsphere: {\n');
    expect(() => changeConfig(file, () => 'x: 1')).toThrow(/broken\.yaml:\d+:\d+: not valid YAML: /);
    expect(readFileSync(file, 'utf8')).toBe('vsphere: {\n');
  });
});
