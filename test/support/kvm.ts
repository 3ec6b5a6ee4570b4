/**
 * Whether KVM really works here. `/dev/kvm` may exist and QEMU still abort or hang on it (nested virtualisation), also
 * after the firmware ran well. So a Linux kernel is started with no root device: it ends in a panic within seconds
 * where the virtual CPU can be relied on.
 */
import { access, readdir } from 'node:fs/promises';
import { constants } from 'node:fs';
import { execa } from 'execa';

/** The panic takes about 2 s with emulation, less with KVM. */
const LIMIT_MS = 8_000;

let probed: Promise<boolean> | undefined;

/** Probed once per process. */
export function kvmWorks(): Promise<boolean> {
  probed ??= probe();
  return probed;
}

async function probe(): Promise<boolean> {
  const kernel = await hostKernel();
  if (kernel === undefined || !(await usable('/dev/kvm', constants.R_OK | constants.W_OK))) return false;
  const { stdout } = await execa(
    'qemu-system-x86_64',
    [
      ['-accel', 'kvm', '-cpu', 'max', '-m', '256', '-nodefaults', '-no-user-config', '-no-reboot'],
      ['-display', 'none', '-serial', 'stdio', '-kernel', kernel, '-append', 'console=ttyS0 panic=-1'],
    ].flat(),
    { reject: false, timeout: LIMIT_MS, forceKillAfterDelay: 500, stdin: 'ignore', stderr: 'ignore' },
  );
  return /Kernel panic - not syncing: VFS/.test(stdout);
}

async function hostKernel(): Promise<string | undefined> {
  const names = await readdir('/boot').catch(() => []);
  for (const name of names.filter((entry) => entry.startsWith('vmlinuz-'))) {
    if (await usable(`/boot/${name}`, constants.R_OK)) return `/boot/${name}`;
  }
  return undefined;
}

async function usable(file: string, mode: number): Promise<boolean> {
  return access(file, mode).then(
    () => true,
    () => false,
  );
}

/** Environment for libguestfs tools: without libvirtd, and by emulation where KVM does not work. */
export async function libguestfsEnv(): Promise<Record<string, string>> {
  const env: Record<string, string> = { LIBGUESTFS_BACKEND: 'direct' };
  if (!(await kvmWorks())) env.LIBGUESTFS_BACKEND_SETTINGS = 'force_tcg';
  return env;
}
