/** Makes the guest's files in a folder: mmdebstrap for the root, guestfish for the disk, qemu-img for the VMDK. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { libguestfsEnv } from '../kvm.js';
import { CAPACITY_BYTES, CUSTOMIZE, diskCommands, FILES, PACKAGES, SUITE } from './recipe.js';

export const RAW_NAME = 'production-db.raw';
export const VMDK_NAME = 'production-db.vmdk';

const STEP_LIMIT_MS = 15 * 60_000;

type Say = (text: string) => void;

/** Leaves `RAW_NAME` and `VMDK_NAME` in the folder, nothing else. */
export async function makeGuest(folder: string, say: Say): Promise<void> {
  const tar = path.join(folder, 'root.tar');
  const raw = path.join(folder, RAW_NAME);
  await step(say, 'installing Debian 12 with mmdebstrap', () => makeRoot(folder, tar));
  await step(say, 'writing the disk with guestfish', () => makeDisk(tar, raw));
  await rm(tar);
  await step(say, 'packing the disk as a streamOptimized VMDK', () => makeVmdk(raw, path.join(folder, VMDK_NAME)));
}

async function step(say: Say, what: string, action: () => Promise<void>): Promise<void> {
  const start = Date.now();
  say(what);
  await action();
  say(`${what}: ${Math.round((Date.now() - start) / 1000)} s`);
}

async function makeRoot(folder: string, tar: string): Promise<void> {
  const overlay = path.join(folder, 'overlay');
  for (const [name, content] of Object.entries(FILES)) {
    const file = path.join(overlay, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  await run('mmdebstrap', [
    '--mode=root',
    '--variant=minbase',
    `--include=${PACKAGES.join(',')}`,
    '--aptopt=Acquire::Languages "none"',
    `--customize-hook=sync-in '${overlay}' /`,
    `--customize-hook=${CUSTOMIZE}`,
    SUITE,
    tar,
  ]);
  await rm(overlay, { recursive: true });
}

async function makeDisk(tar: string, raw: string): Promise<void> {
  await run('qemu-img', ['create', '-q', '-f', 'raw', raw, String(CAPACITY_BYTES)]);
  const commands = diskCommands(tar).flatMap((command) => [':', ...command]);
  await run('guestfish', ['--format=raw', '-a', raw, '--', ...commands.slice(1)], await libguestfsEnv());
}

async function makeVmdk(raw: string, vmdk: string): Promise<void> {
  const options = 'subformat=streamOptimized,adapter_type=lsilogic';
  await run('qemu-img', ['convert', '-f', 'raw', '-O', 'vmdk', '-o', options, raw, vmdk]);
}

/** The tools' own words are shown only when they fail: mmdebstrap alone writes hundreds of lines. */
async function run(command: string, args: string[], env: Record<string, string> = {}): Promise<void> {
  const result = await execa(command, args, { reject: false, all: true, stdin: 'ignore', timeout: STEP_LIMIT_MS, env });
  if (result.failed) throw new Error(`${result.shortMessage ?? command}\n${result.all.slice(-4000)}`);
}
