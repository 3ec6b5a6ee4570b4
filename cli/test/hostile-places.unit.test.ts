import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changeConfig } from '../src/lib/config/write.js';
import { jsonText, printable } from '../src/lib/format.js';
import { makeFolder } from '../src/lib/make-folder.js';
import { resolveHome } from '../src/stack/home.js';
import { inheritedBy } from '../src/stack/inherited.js';
import { parseLine } from '../src/daemon/logs/line.js';
import { lineWord, rawLine } from '../src/daemon/logs/show.js';
import { painter } from '../src/lib/width.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'hyperctl-places-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const change = (file: string): void => changeConfig(file, () => 'ui:\n  color: false\n');

describe('a configuration', () => {
  it('is never put in the place of a device', () => {
    // Root could do harm to the machine's own, were it done.
    const device = process.getuid?.() === 0 ? path.join(folder, 'null') : '/dev/null';
    if (device !== '/dev/null') execFileSync('mknod', [device, 'c', '1', '3']);
    expect(() => change(device)).toThrow('is no regular file');
    expect(statSync(device).isCharacterDevice()).toBe(true);
  });

  it('is told at once where no folder can be made', () => {
    expect(() => change('/proc/hyper2kvm/config.yaml')).toThrow(/ENOENT|EPERM|EACCES/);
    writeFileSync(path.join(folder, 'file'), '');
    expect(() => change(path.join(folder, 'file', 'config.yaml'))).toThrow(/ENOTDIR|EEXIST/);
  });

  it('is made where a link leads, also when nothing is there yet', () => {
    const link = path.join(folder, 'config.yaml');
    symlinkSync(path.join('dotfiles', 'hyperctl.yaml'), link);
    change(link);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(path.join(folder, 'dotfiles', 'hyperctl.yaml'), 'utf8')).toBe('ui:\n  color: false\n');
  });
});

it('makes folders with those above them, once', () => {
  const deep = path.join(folder, 'a', 'b');
  expect(makeFolder(deep, 0o700)).toBe(true);
  expect(makeFolder(deep, 0o700)).toBe(false);
  expect(existsSync(deep)).toBe(true);
});

it.skipIf(process.getuid?.() === 0)('finds no home below the folder that it is called in', () => {
  expect(resolveHome(undefined, { XDG_DATA_HOME: '', HOME: '/home/u' })).toBe('/home/u/.local/share/hyper2kvm');
  expect(resolveHome(undefined, { XDG_DATA_HOME: 'rel', HOME: '/home/u' })).toBe('/home/u/.local/share/hyper2kvm');
});

it('shows the text of others without what steers a terminal or turns it round', () => {
  expect(printable('a\u001bcb\u009b31m\u202egnp.exe\u2066x\u2028y\nz')).toBe('acb31mgnp.exex y z');
  expect(printable('日本語 👩‍👩‍👧')).toBe('日本語 👩‍👩‍👧');
});

it('writes JSON that a terminal does not obey, and that says the same', () => {
  const document = { vm: 'a\u009b31m\u202egnp\u001b 日本' };
  expect(jsonText(document, 2)).toBe('{\n  "vm": "a\\u009b31m\\u202egnp\\u001b 日本"\n}');
  expect(JSON.parse(jsonText(document))).toEqual(document);
});

it('leaves the secrets of a command to no service that it starts', () => {
  const config = path.join(folder, 'config.yaml');
  const env = { PATH: '/bin', VSPHERE_PASSWORD: 'a', HYPER2KVM_TOKEN: 'b', HYPER2KVM_LUKS_KEY: 'c' };
  expect(inheritedBy(config, [], env)).toEqual({ PATH: '/bin' });
  writeFileSync(config, 'vsphere:\n  password: ${VSPHERE_PASSWORD}\n');
  expect(inheritedBy(config, [], env)).toEqual({ PATH: '/bin', VSPHERE_PASSWORD: 'a' });
  expect(inheritedBy(config, ['x.y=${HYPER2KVM_TOKEN}'], env)).toMatchObject({ HYPER2KVM_TOKEN: 'b' });
});

it('takes a line of a log that begins like JSON for the text that it is', () => {
  const line = { ...parseLine('gateway', "{ code: 'ECONNREFUSED' }"), time: new Date(0) };
  expect(JSON.parse(rawLine(line))).toMatchObject({ msg: "{ code: 'ECONNREFUSED' }", service: 'gateway' });
  const hostile = parseLine('gateway', JSON.stringify({ level: '\u001b[2J', time: new Date(0), msg: 'm' }));
  expect(lineWord(hostile, 0, painter(false))).not.toContain('\u001b');
});
