/** Makes a guest's files in a folder: mmdebstrap for the root, guestfish for the disks, qemu-img for the VMDKs. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { libguestfsEnv } from '../kvm.js';
import { SUITE, type Recipe } from './recipe.js';

/** Base name of a guest's disk, from 0, without the ending. */
export const diskName = ({ name }: Pick<Recipe, 'name'>, index: number): string =>
  index === 0 ? name : `${name}_${index}`;

const STEP_LIMIT_MS = 30 * 60_000;

type Say = (text: string) => void;

/** Leaves a raw image and a VMDK of each disk in the folder, nothing else. */
export async function makeGuest(recipe: Recipe, folder: string, say: Say): Promise<void> {
  const tar = path.join(folder, 'root.tar');
  const disks = recipe.capacities.map((_, index) => path.join(folder, diskName(recipe, index)));
  await step(say, 'installing Debian 12 with mmdebstrap', () => makeRoot(recipe, folder, tar));
  await step(say, 'writing the disks with guestfish', () => makeDisks(recipe, tar, disks));
  await rm(tar);
  await step(say, 'packing the disks as streamOptimized VMDKs', async () => {
    for (const disk of disks) await makeVmdk(`${disk}.raw`, `${disk}.vmdk`);
  });
}

async function step(say: Say, what: string, action: () => Promise<void>): Promise<void> {
  const start = Date.now();
  say(what);
  await action();
  say(`${what}: ${Math.round((Date.now() - start) / 1000)} s`);
}

async function makeRoot(recipe: Recipe, folder: string, tar: string): Promise<void> {
  const overlay = path.join(folder, 'overlay');
  for (const [name, content] of Object.entries(recipe.files)) {
    const file = path.join(overlay, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  await run('mmdebstrap', [
    '--mode=root',
    '--variant=minbase',
    `--include=${recipe.packages.join(',')}`,
    '--aptopt=Acquire::Languages "none"',
    ...recipe.dpkgOptions.map((option) => `--dpkgopt=${option}`),
    `--customize-hook=sync-in '${overlay}' /`,
    `--customize-hook=${recipe.customize}`,
    SUITE,
    tar,
  ]);
  await rm(overlay, { recursive: true });
}

/**
 * The appliance's kernel finds disks in any order. libguestfs sees to that, but GRUB is run in the guest: where /dev/sda is
 * the appliance's own, it finds no place there.
 */
const WRONG_DISK = /grub-install: error: embedding is not possible/;
const MOST_TRIES = 5;

async function makeDisks(recipe: Recipe, tar: string, disks: readonly string[]): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await tryDisks(recipe, tar, disks);
    } catch (error) {
      if (tries === MOST_TRIES || !(error instanceof Error && WRONG_DISK.test(error.message))) throw error;
    }
  }
}

async function tryDisks(recipe: Recipe, tar: string, disks: readonly string[]): Promise<void> {
  for (const [index, capacity] of recipe.capacities.entries()) {
    await run('qemu-img', ['create', '-q', '-f', 'raw', `${disks[index]}.raw`, String(capacity)]);
  }
  const commands = recipe.disk(tar).flatMap((command) => [':', ...command]);
  const keys = recipe.passphrases ?? [];
  const args = [
    ...(keys.length > 0 ? ['--keys-from-stdin'] : []),
    '--format=raw',
    ...disks.flatMap((disk) => ['-a', `${disk}.raw`]),
    '--',
    ...commands.slice(1),
  ];
  await run('guestfish', args, { env: await libguestfsEnv(), input: keys.map((key) => `${key}\n`).join('') });
}

async function makeVmdk(raw: string, vmdk: string): Promise<void> {
  const options = 'subformat=streamOptimized,adapter_type=lsilogic';
  await run('qemu-img', ['convert', '-f', 'raw', '-O', 'vmdk', '-o', options, raw, vmdk]);
}

interface RunOptions {
  env?: Record<string, string>;
  input?: string;
}

/** The tools' own words are shown only when they fail: mmdebstrap alone writes hundreds of lines. */
async function run(command: string, args: string[], { env = {}, input = '' }: RunOptions = {}): Promise<void> {
  const result = await execa(command, args, { reject: false, all: true, input, timeout: STEP_LIMIT_MS, env });
  if (result.failed) throw new Error(`${result.shortMessage ?? command}\n${result.all.slice(-4000)}`);
}
