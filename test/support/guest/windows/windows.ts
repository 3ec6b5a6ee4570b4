/** The phony Windows, built once per recipe and machine and kept outside the checkout. */
import { access, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { libguestfsEnv } from '../../kvm.js';
import { withLock } from '../lock.js';
import {
  CAPACITY_BYTES,
  diskCommands,
  files,
  HIBERFIL_MARK,
  HIBERFIL_PAGE_BYTES,
  recipeHash,
  SYSTEM_OFFSET,
} from './recipe.js';

export interface PhonyWindows {
  /** Never write to it: `copyDisk` makes one of your own. */
  readonly rawPath: string;
  readonly capacityBytes: number;
}

const BUILD_LIMIT_MS = 300_000;

/** From the cache, `${XDG_CACHE_HOME:-~/.cache}/hyper2kvm/guests/windows-<hash>.raw`, or built there: one appliance. */
export async function ensureWindows(): Promise<PhonyWindows> {
  const guests = path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'hyper2kvm', 'guests');
  const rawPath = path.join(guests, `windows-${recipeHash()}.raw`);
  if (!(await exists(rawPath))) {
    await mkdir(guests, { recursive: true });
    await withLock(`${rawPath}.lock`, say, async () => {
      if (!(await exists(rawPath))) await build(rawPath);
    });
  }
  return { rawPath, capacityBytes: CAPACITY_BYTES };
}

/** Built aside and renamed, so that the cache never shows half a disk. */
async function build(rawPath: string): Promise<void> {
  say('building the phony Windows, once');
  const aside = `${rawPath}.building`;
  await rm(aside, { recursive: true, force: true });
  const folder = path.join(aside, 'files');
  try {
    for (const [name, content] of Object.entries(files())) {
      const file = path.join(folder, name);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, content);
    }
    const raw = path.join(aside, 'disk.raw');
    const handle = await open(raw, 'w');
    await handle.truncate(CAPACITY_BYTES);
    await handle.close();
    const commands = diskCommands(folder).flatMap((command) => [':', ...command]);
    const result = await execa('guestfish', ['--format=raw', '-a', raw, '--', ...commands.slice(1)], {
      env: await libguestfsEnv(),
      reject: false,
      all: true,
      stdin: 'ignore',
      timeout: BUILD_LIMIT_MS,
    });
    if (result.failed) throw new Error(`${result.shortMessage ?? 'guestfish'}\n${result.all.slice(-4000)}`);
    await rename(raw, rawPath);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/** A state in which a Windows may have been left. */
export type WindowsState = 'shut down' | 'hibernated' | 'encrypted';

/** A copy of the disk in that state, as qcow2. */
export async function copyDisk(windows: PhonyWindows, qcow2: string, state: WindowsState = 'shut down'): Promise<void> {
  const raw = `${qcow2}.raw`;
  await execa('cp', ['--sparse=always', windows.rawPath, raw]);
  try {
    if (state === 'hibernated') await patch(raw, await hiberfilOffset(raw), Buffer.from('HIBR'));
    // The OEM id of the boot sector, where NTFS has its name.
    if (state === 'encrypted') await patch(raw, SYSTEM_OFFSET + 3, Buffer.from('-FVE-FS-'));
    await execa('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, qcow2]);
  } finally {
    await rm(raw, { force: true });
  }
}

async function hiberfilOffset(raw: string): Promise<number> {
  const mark = (await readFile(raw)).indexOf(HIBERFIL_MARK, SYSTEM_OFFSET);
  if (mark < 0) throw new Error('hiberfil.sys is not in the phony Windows');
  return mark - HIBERFIL_PAGE_BYTES;
}

async function patch(file: string, position: number, bytes: Buffer): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.write(bytes, 0, bytes.length, position);
  } finally {
    await handle.close();
  }
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

function say(text: string): void {
  process.stderr.write(`windows: ${text}\n`);
}
