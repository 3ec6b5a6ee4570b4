/** Test guests, each built once per recipe and machine and kept outside the checkout. */
import { access, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { withLock } from './lock.js';
import { diskName, makeGuest } from './make.js';
import { recipeHash, type Recipe } from './recipe.js';
import { RECIPES, type GuestName } from './recipes/index.js';

export interface GuestDisk {
  /** The disk as the guest would see it; never write to it, boot it with a snapshot. */
  rawPath: string;
  /** The same disk as a streamOptimized VMDK, the form in which vSphere exports it. */
  vmdkPath: string;
  capacityBytes: number;
}

/** The disk that it boots from, and all of them. */
export interface Guest extends GuestDisk {
  name: GuestName;
  disks: GuestDisk[];
  /** SHA-256 of the recipe, hexadecimal. */
  recipeHash: string;
}

/**
 * A guest from the cache, `${XDG_CACHE_HOME:-~/.cache}/hyper2kvm/guests/<hash>/`, or built there now: about three
 * minutes without KVM, as root. Two callers at once build it once.
 *
 * @throws Error when it must be built and the caller is not root, or when a tool failed (with its last lines)
 */
export async function ensureGuest(name: GuestName = 'production-db'): Promise<Guest> {
  const recipe: Recipe = RECIPES[name];
  const hash = recipeHash(recipe);
  const guests = path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'hyper2kvm', 'guests');
  const folder = path.join(guests, hash);
  const disks = recipe.capacities.map((capacityBytes, index) => ({
    rawPath: path.join(folder, `${diskName(recipe, index)}.raw`),
    vmdkPath: path.join(folder, `${diskName(recipe, index)}.vmdk`),
    capacityBytes,
  }));
  const [first] = disks;
  if (first === undefined) throw new Error(`the recipe of ${name} has no disk`);
  const guest = { ...first, name, disks, recipeHash: hash };
  if (await exists(folder)) return guest;
  await mkdir(guests, { recursive: true });
  await withLock(path.join(guests, `${hash}.lock`), say, async () => {
    if (!(await exists(folder))) await build(recipe, guests, hash);
  });
  return guest;
}

/** Built aside and renamed, so that the cache never shows half a guest. Called under the lock. */
async function build(recipe: Recipe, guests: string, hash: string): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new Error('building a test guest needs root (mmdebstrap makes device nodes): run it as root or with sudo');
  }
  for (const name of await readdir(guests)) {
    if (name.startsWith(`${hash}.building`)) await rm(path.join(guests, name), { recursive: true, force: true });
  }
  const aside = path.join(guests, `${hash}.building-${process.pid}`);
  say(`building ${recipe.name}, a VMware-flavoured Debian, once; it will be kept in ${path.join(guests, hash)}`);
  await mkdir(aside);
  try {
    await makeGuest(recipe, aside, say);
    await rename(aside, path.join(guests, hash));
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

function say(text: string): void {
  process.stderr.write(`guest: ${text}\n`);
}
