import { constants } from 'node:fs';
import { access, readdir } from 'node:fs/promises';

/** A kernel without a root device panics within a second where KVM works; where it does not, it hangs. */
const LIMIT_MS = 8_000;
const EXPECTED = 'Kernel panic - not syncing: VFS';
const DEVICE = '/dev/kvm';

/** What is to be run to know it. */
export interface KvmProbe {
  readonly command: string;
  readonly args: readonly string[];
  /** So long it may run; then KVM does not work. */
  readonly limitMs: number;
  /** Whether what it wrote to standard output says that KVM works. */
  readonly passed: (output: string) => boolean;
}

/** `device`: there is no /dev/kvm; `permission`: this user may not open it; `kernel`: none in /boot can be read, so it cannot be tried. */
export type KvmMissing = 'device' | 'permission' | 'kernel';

/**
 * How to find out whether KVM really works: /dev/kvm may exist (nested virtualisation) and QEMU still abort on an MSR or hang, also
 * after firmware and boot sector ran well. So a whole kernel is started, with a time limit. Who runs it decides how it is ended.
 */
export async function kvmProbe(): Promise<KvmProbe | KvmMissing> {
  if (!(await allowed(DEVICE, constants.F_OK))) return 'device';
  if (!(await allowed(DEVICE, constants.R_OK | constants.W_OK))) return 'permission';
  const kernel = await hostKernel();
  if (kernel === undefined) return 'kernel';
  return {
    command: 'qemu-system-x86_64',
    args: [
      ['-accel', 'kvm', '-cpu', 'max', '-m', '256', '-nodefaults', '-no-user-config', '-no-reboot'],
      ['-display', 'none', '-serial', 'stdio', '-kernel', kernel, '-append', 'console=ttyS0 panic=-1'],
    ].flat(),
    limitMs: LIMIT_MS,
    passed: (output) => output.includes(EXPECTED),
  };
}

/** The kernel that libguestfs boots its appliance with is one of these, too. */
async function hostKernel(): Promise<string | undefined> {
  for (const name of await readdir('/boot').catch(() => [])) {
    if (name.startsWith('vmlinuz-') && (await allowed(`/boot/${name}`, constants.R_OK))) return `/boot/${name}`;
  }
  return undefined;
}

const allowed = (file: string, mode: number): Promise<boolean> =>
  access(file, mode).then(
    () => true,
    () => false,
  );
