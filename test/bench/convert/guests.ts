/** The guests that are converted, as qcow2 of an export. */
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { ensureGuest } from '../../support/guest/guest.js';
import { libguestfsEnv } from '../../support/kvm.js';

export type GuestKind = 'rebuild' | 'no rebuild';

export interface BenchGuest {
  kind: GuestKind;
  image: string;
  capacityBytes: number;
}

/** In a chroot of the guest: its initramfs gets virtio's drivers, as `MODULES=most` would have it. */
const ADD_VIRTIO = [
  'printf "virtio_pci\\nvirtio_blk\\nvirtio_scsi\\nvirtio_net\\n" >> /etc/initramfs-tools/modules',
  'update-initramfs -u -k all',
].join(' && ');

/** `rebuild` is the test guest as it is; the other one is made of it once, and kept beside the test guests. */
export async function benchGuests(folder: string, say: (text: string) => void): Promise<BenchGuest[]> {
  const { rawPath, capacityBytes, recipeHash } = await ensureGuest();
  const plain = path.join(folder, 'rebuild.qcow2');
  await execa('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', rawPath, plain]);
  const cache = path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'hyper2kvm', 'bench');
  const ready = path.join(cache, `virtio-${recipeHash}.qcow2`);
  if (!(await exists(ready))) {
    say('making the guest whose initramfs has the drivers already, once: one to two minutes without KVM');
    await mkdir(cache, { recursive: true });
    await makeReady(plain, ready);
  }
  return [
    { kind: 'rebuild', image: plain, capacityBytes },
    { kind: 'no rebuild', image: ready, capacityBytes },
  ];
}

async function makeReady(plain: string, ready: string): Promise<void> {
  const [overlay, aside] = [`${plain}.overlay`, `${ready}.making-${process.pid}`];
  try {
    await execa('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', plain, overlay]);
    const commands = ['run', ':', 'mount', '/dev/sda1', '/', ':', 'sh', ADD_VIRTIO, ':', 'umount-all'];
    await execa('guestfish', ['--format=qcow2', '-a', overlay, '--', ...commands], { env: await libguestfsEnv() });
    await execa('qemu-img', ['convert', '-f', 'qcow2', '-O', 'qcow2', overlay, aside]);
    await rename(aside, ready);
  } finally {
    await rm(overlay, { force: true });
    await rm(aside, { force: true });
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
