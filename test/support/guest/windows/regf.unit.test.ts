import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeHive } from './regf.js';

let folder: string;
let hive: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'hyper2kvm-regf-'));
  hive = path.join(folder, 'hive');
});
afterEach(() => rm(folder, { recursive: true }));

const values = (key: string): string[] =>
  execFileSync('hivexget', [hive, key], { encoding: 'utf8' }).trim().split('\n');

it('is read by hivex: keys in any order, every type, values beside and inside of their records', async () => {
  const many = Object.fromEntries(
    Array.from({ length: 300 }, (_, index) => [`Services\\driver ${index}`, { Start: { dword: index } }]),
  );
  const written = makeHive({
    '': { Root: { sz: 'at the top' } },
    Select: { Current: { dword: 0xff_ff_ff_ff } },
    'A\\deep\\path': { Short: { sz: 'x' }, Empty: { sz: '' }, Path: { expand: '%SystemRoot%' } },
    ...many,
    A: {},
    Binary: { Data: { binary: Buffer.from([1, 2, 3, 4, 5]) } },
  });
  await writeFile(hive, written);
  expect(written.length % 4096).toBe(0);
  expect(values('\\')).toEqual(['"Root"="at the top"']);
  expect(values('select')).toEqual(['"Current"=dword:ffffffff']);
  expect(values('A\\deep\\path')).toEqual(['"Short"="x"', '"Empty"=""', '"Path"=str(2):"%SystemRoot%"']);
  expect(values('Services\\driver 299')).toEqual(['"Start"=dword:0000012b']);
  expect(values('Binary')).toEqual(['"Data"=hex(3):01,02,03,04,05']);
});

it('is extended by hivex as one of Windows is', async () => {
  await writeFile(hive, makeHive({ 'ControlSet001\\Services\\pvscsi': { Start: { dword: 0 } } }));
  const edit = path.join(folder, 'edit.reg');
  const key = '\\ControlSet001\\Services\\viostor';
  await writeFile(edit, `Windows Registry Editor Version 5.00\r\n\r\n[${key}]\r\n"Start"=dword:00000000\r\n`);
  execFileSync('hivexregedit', ['--merge', hive, edit]);
  expect(values(key)).toEqual(['"Start"=dword:00000000']);
  expect(values('\\ControlSet001\\Services\\pvscsi')).toEqual(['"Start"=dword:00000000']);
});
