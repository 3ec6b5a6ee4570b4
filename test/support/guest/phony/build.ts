/** Builds phony guests, and reads their files again: all in one appliance each time, since its start is what takes long. */
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { execa } from 'execa';
import { libguestfsEnv } from '../../kvm.js';
import type { PhonyGuest } from './guests.js';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const LIMIT_MS = 10 * 60_000;

/** What an initramfs with the drivers of KVM lists; the rest of it is of no interest to a conversion. */
const DRIVERS = ['block/virtio_blk', 'virtio/virtio_pci', 'scsi/virtio_scsi', 'net/virtio_net'];

/** Path in the guest → content (a link's target with `→` before it). */
export type Tree = ReadonlyMap<string, string>;

/** Writes `disk1.qcow2`, … of each guest into `<folder>/<name>/`. */
export async function buildPhony(guests: readonly PhonyGuest[], folder: string): Promise<void> {
  const commands: string[][] = [['run']];
  const disks: string[] = [];
  for (const guest of guests) {
    const own = path.join(folder, guest.name);
    await mkdir(own, { recursive: true });
    const first = disks.length;
    for (const [index, bytes] of guest.disks.entries()) {
      const file = path.join(own, `disk${index + 1}.qcow2`);
      await execa('qemu-img', ['create', '-q', '-f', 'qcow2', file, String(bytes)]);
      disks.push(file);
    }
    const tar = path.join(own, 'before.tar');
    await packBefore(guest, own, tar);
    const rename = renamer(first);
    commands.push(...guest.layout.map((command) => command.map(rename)), ['tar-in', tar, '/'], ['umount-all']);
  }
  await guestfish(disks, commands, []);
}

/** All regular files and links of a converted guest. @throws where a file system of it is not clean */
export async function readPhony(
  guests: readonly { guest: PhonyGuest; disks: readonly string[] }[],
  folder: string,
): Promise<Map<string, Tree>> {
  const commands: string[][] = [['run']];
  const all: string[] = [];
  for (const { guest, disks } of guests) {
    const rename = renamer(all.length);
    all.push(...disks);
    commands.push(...fileSystemChecks(guest).map((command) => command.map(rename)));
    for (const [device, place] of guest.mounts) commands.push(['mount-ro', rename(device), place]);
    commands.push(['tar-out', '/', path.join(folder, `${guest.name}.tar`)], ['umount-all']);
  }
  const said = await guestfish(all, commands, ['--ro']);
  // xfs_repair tells what it found by a number alone.
  if (/^[1-9]/m.test(said)) throw new Error(`a file system is not clean: ${said}`);
  const trees = new Map<string, Tree>();
  for (const { guest } of guests) {
    const out = path.join(folder, guest.name);
    await mkdir(out, { recursive: true });
    await execa('tar', ['-xf', path.join(folder, `${guest.name}.tar`), '-C', out, '--no-same-owner']);
    trees.set(guest.name, await treeOf(out));
  }
  return trees;
}

/** The files of a guest as they were, or those that a conversion must have changed, as they lie here. */
export const phonyTree = (guest: PhonyGuest, which: 'before' | 'after'): Promise<Tree> =>
  treeOf(path.join(HERE, guest.name, which));

/** A look at each file system that its layout made; a fault ends guestfish. */
const fileSystemChecks = ({ layout }: PhonyGuest): string[][] =>
  layout
    .filter(([command]) => command === 'mkfs')
    .map(([, type = '', device = '']) => {
      if (type === 'xfs') return ['xfs-repair', device, 'nomodify:true'];
      return type === 'btrfs' ? ['btrfs-fsck', device] : ['e2fsck-f', device];
    });

/** Its disks come after those of others: /dev/sda of the guest is /dev/sdc here, say. */
const renamer =
  (first: number) =>
  (word: string): string =>
    word.replace(
      /^\/dev\/sd([a-z])/,
      (_, letter: string) => `/dev/sd${String.fromCharCode(letter.charCodeAt(0) + first)}`,
    );

async function packBefore(guest: PhonyGuest, own: string, tar: string): Promise<void> {
  const made = await mkdtemp(path.join(own, 'made-'));
  const put = async (file: string, content: string | Buffer): Promise<void> => {
    await mkdir(path.join(made, path.dirname(file)), { recursive: true });
    await writeFile(path.join(made, file), content);
  };
  for (const { version, kernel, initramfs } of guest.kernels) {
    const files = DRIVERS.map((driver) => `kernel/drivers/${driver}.ko.xz`);
    await put(kernel, 'kernel\n');
    await put(initramfs, gzipSync(cpio(files.map((file) => `usr/lib/modules/${version}/${file}`))));
    await put(`/usr/lib/modules/${version}/modules.dep`, files.map((file) => `${file}:\n`).join(''));
    await put(`/usr/lib/modules/${version}/modules.builtin`, '');
  }
  await put('/bin/sh', elfHeader());
  for (const [file, content] of Object.entries(guest.made ?? {})) {
    if (!content.startsWith('→')) await put(file, Buffer.from(content, 'latin1'));
    else {
      await mkdir(path.join(made, path.dirname(file)), { recursive: true });
      await symlink(content.slice(1), path.join(made, file));
    }
  }
  const owner = ['--owner=0', '--group=0', '--numeric-owner'];
  await execa('tar', ['-cf', tar, ...owner, '-C', path.join(HERE, guest.name, 'before'), '.']);
  await execa('tar', ['-rf', tar, ...owner, '--transform', 's,^\\./lib/,./usr/lib/,', '-C', made, '.']);
  // Merged /usr, as all three have it.
  await rm(made, { recursive: true });
  const links = await mkdtemp(path.join(own, 'links-'));
  await execa('ln', ['-s', 'usr/lib', path.join(links, 'lib')]);
  await execa('tar', ['-rf', tar, ...owner, '-C', links, 'lib']);
  await rm(links, { recursive: true });
}

/** A cpio archive ("newc") of empty files: https://docs.kernel.org/driver-api/early-userspace/buffer-format.html */
function cpio(names: readonly string[]): Buffer {
  return Buffer.from([...names, 'TRAILER!!!'].map(cpioEntry).join(''), 'latin1');
}

function cpioEntry(name: string): string {
  const fields = [1, name === 'TRAILER!!!' ? 0 : 0o100644, 0, 0, 1, 0, 0, 0, 0, 0, 0, name.length + 1, 0];
  const head = `070701${fields.map((value) => value.toString(16).padStart(8, '0')).join('')}${name}\0`;
  return head + '\0'.repeat((4 - (head.length % 4)) % 4);
}

/** As much of an x86_64 program as tells its architecture. */
function elfHeader(): Buffer {
  const header = Buffer.alloc(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.writeUInt16LE(3, 16);
  header.writeUInt16LE(62, 18);
  header.writeUInt32LE(1, 20);
  header.writeUInt16LE(64, 52);
  return header;
}

async function guestfish(
  disks: readonly string[],
  commands: readonly string[][],
  flags: readonly string[],
): Promise<string> {
  const adds = disks.flatMap((disk) => ['--format=qcow2', '-a', disk]);
  const argv = commands.flatMap((command) => [':', ...command]).slice(1);
  const { stdout } = await execa('guestfish', [...flags, ...adds, '--', ...argv], {
    env: await libguestfsEnv(),
    timeout: LIMIT_MS,
  });
  return stdout;
}

async function treeOf(folder: string, below = ''): Promise<Map<string, string>> {
  const tree = new Map<string, string>();
  for (const entry of await readdir(path.join(folder, below), { withFileTypes: true })) {
    const name = `${below}/${entry.name}`;
    if (entry.isDirectory()) for (const [file, content] of await treeOf(folder, name)) tree.set(file, content);
    else if (entry.isSymbolicLink()) tree.set(name, `→${await readlink(path.join(folder, name))}`);
    else tree.set(name, await readFile(path.join(folder, name), 'latin1'));
  }
  return tree;
}
