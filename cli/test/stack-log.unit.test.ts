import { mkdtempSync, readFileSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LogFile } from '../src/stack/log-file.js';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hyperctl-log-'));
  file = path.join(folder, 'service.log');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('keeps one old file, and loses no line over the change', () => {
  const log = new LogFile(file, 100);
  for (let count = 0; count < 15; count += 1) log.line(`line ${count} of the log`);
  log.close();
  const kept = `${readFileSync(`${file}.1`, 'utf8')}${readFileSync(file, 'utf8')}`.trim().split('\n');
  expect(kept.at(-1)).toBe('line 14 of the log');
  expect(kept).toEqual(kept.map((_, index) => `line ${15 - kept.length + index} of the log`));
  expect(readFileSync(`${file}.1`).length).toBeLessThan(150);
});

it('goes on over a full disk, and tells what was lost', () => {
  // A device that is always full.
  symlinkSync('/dev/full', file);
  const log = new LogFile(file);
  log.line('lost');
  log.line('lost, too');
  unlinkSync(file);
  log.line('kept');
  log.close();
  const [told, kept] = readFileSync(file, 'utf8').trim().split('\n');
  expect(JSON.parse(told ?? '')).toMatchObject({ msg: '2 lines of this log are lost: they could not be written' });
  expect(kept).toBe('kept');
});
