import { runGuarded, VERSION } from '@hyper2kvm/runtime';

/** Versions of what does the work, for the manifest. */
export async function toolVersions(): Promise<Record<string, string>> {
  const [qemu, libguestfs] = await Promise.all([
    version('qemu-system-x86_64', /version (\S+)/),
    version('guestfish', /guestfish (\S+)/),
  ]);
  return { hyper2kvm: VERSION, qemu, libguestfs };
}

async function version(command: string, pattern: RegExp): Promise<string> {
  const { stdout } = await runGuarded(command, ['--version'], { timeoutMs: 30_000 });
  return pattern.exec(stdout)?.[1] ?? 'unknown';
}
