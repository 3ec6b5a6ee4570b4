import { JobError } from '@hyper2kvm/contracts';
import { runGuarded, withSpan } from '@hyper2kvm/runtime';

const LIMIT_MS = 60_000;

/** One libvirt, asked through virsh. */
export interface Virsh {
  readonly uri: string;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number;
}

/**
 * Output of one command. Names never go in as bare words: an id or an option could look like them.
 * @throws JobError LIBVIRT
 */
export async function virsh({ uri, signal, timeoutMs = LIMIT_MS }: Virsh, ...args: readonly string[]): Promise<string> {
  try {
    const env = { LC_ALL: 'C.UTF-8' };
    const run = () => runGuarded('virsh', ['-q', '-c', uri, ...args], { signal, env, timeoutMs });
    const { stdout } = await withSpan(`libvirt ${args[0] ?? ''}`, { 'libvirt.uri': uri }, run);
    return stdout;
  } catch (error) {
    signal.throwIfAborted();
    const why = error instanceof Error ? error.message : String(error);
    throw new JobError('LIBVIRT', `libvirt (${uri}): ${why}`, { step: 'define', cause: error });
  }
}

/** On this machine: `qemu:///system`, `qemu+unix:///system?socket=…`. */
export const isLocal = (uri: string): boolean => /^[a-z+]+:\/\/\//.test(uri);

export interface KnownDomain {
  readonly uuid: string;
  readonly name: string;
}

/** All domains, running or not. */
export async function knownDomains(libvirt: Virsh): Promise<KnownDomain[]> {
  const text = await virsh(libvirt, 'list', '--all', '--uuid', '--name');
  return text.split('\n').flatMap((line) => {
    const [, uuid, name] = /^\s*([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\s+(.+?)\s*$/.exec(line) ?? [];
    return uuid === undefined || name === undefined ? [] : [{ uuid, name }];
  });
}
