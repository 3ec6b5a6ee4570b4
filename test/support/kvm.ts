import { execa } from 'execa';
import { kvmProbe } from '@hyper2kvm/runtime/probes';

let probed: Promise<boolean> | undefined;

/** Probed once per process. */
export function kvmWorks(): Promise<boolean> {
  probed ??= probe();
  return probed;
}

async function probe(): Promise<boolean> {
  const found = await kvmProbe();
  if (typeof found === 'string') return false;
  const { command, args, limitMs: timeout } = found;
  const { stdout } = await execa(command, args, { reject: false, timeout, forceKillAfterDelay: 500, stdin: 'ignore' });
  return found.passed(stdout);
}

/** Environment for libguestfs tools: without libvirtd, and by emulation where KVM does not work. */
export async function libguestfsEnv(): Promise<Record<string, string>> {
  const env: Record<string, string> = { LIBGUESTFS_BACKEND: 'direct' };
  if (!(await kvmWorks())) env.LIBGUESTFS_BACKEND_SETTINGS = 'force_tcg';
  return env;
}
