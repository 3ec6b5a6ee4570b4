import { constants } from 'node:fs';
import { access, readdir } from 'node:fs/promises';
import { spawnGuarded } from '@hyper2kvm/runtime';

/** How QEMU runs guests here. `qemu` is libvirt's word for emulation (TCG). */
export type Accelerator = 'kvm' | 'qemu';

/** A kernel without a root device panics within a second where KVM works; where it does not, it hangs. */
const LIMIT_MS = 8_000;
const EXPECTED = 'Kernel panic - not syncing: VFS';

let probed: Promise<Accelerator> | undefined;

/**
 * Whether KVM really works, probed once per process: /dev/kvm may exist (nested virtualisation) and QEMU still abort on
 * an MSR or hang, also after firmware and boot sector ran well. So a whole kernel is started, with a time limit.
 */
export function accelerator(): Promise<Accelerator> {
  probed ??= probe();
  return probed;
}

async function probe(): Promise<Accelerator> {
  const kernel = await hostKernel();
  if (kernel === undefined || !(await allowed('/dev/kvm', constants.R_OK | constants.W_OK))) return 'qemu';
  let ended = false;
  const qemu = spawnGuarded(
    'qemu-system-x86_64',
    [
      ['-accel', 'kvm', '-cpu', 'max', '-m', '256', '-nodefaults', '-no-user-config', '-no-reboot'],
      ['-display', 'none', '-serial', 'stdio', '-kernel', kernel, '-append', 'console=ttyS0 panic=-1'],
    ].flat(),
    {
      onLine: (line) => {
        ended ||= line.includes(EXPECTED);
      },
    },
  );
  const timer = setTimeout(() => void qemu.kill(), LIMIT_MS);
  await qemu.exited;
  clearTimeout(timer);
  return ended ? 'kvm' : 'qemu';
}

/** The kernel that libguestfs boots its appliance with is one of these, too. */
async function hostKernel(): Promise<string | undefined> {
  for (const name of await readdir('/boot').catch(() => [])) {
    if (name.startsWith('vmlinuz-') && (await allowed(`/boot/${name}`, constants.R_OK))) return `/boot/${name}`;
  }
  return undefined;
}

async function allowed(file: string, mode: number): Promise<boolean> {
  return access(file, mode).then(
    () => true,
    () => false,
  );
}
