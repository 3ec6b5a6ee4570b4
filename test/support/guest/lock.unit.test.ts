import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withLock } from './lock.js';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'hyper2kvm-lock-'));
  file = path.join(folder, 'lock');
});

afterEach(() => rm(folder, { recursive: true }));

it('keeps others out for as long as its owner lives', async () => {
  await writeFile(file, String(process.ppid));
  let entered = false;
  const said: string[] = [];
  const waiting = withLock(
    file,
    (text) => said.push(text),
    async () => {
      entered = true;
    },
  );
  await expect.poll(() => said).toHaveLength(1);
  expect(entered).toBe(false);
  await rm(file);
  await waiting;
  expect(entered).toBe(true);
});

it('is taken over from an owner that died, and leaves nothing behind', async () => {
  const { pid } = spawnSync('true');
  await writeFile(file, String(pid));
  let entered = false;
  await withLock(
    file,
    () => {},
    async () => {
      entered = true;
    },
  );
  expect(entered).toBe(true);
  expect(await readdir(folder)).toEqual([]);
});
