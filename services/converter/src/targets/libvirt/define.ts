import { JobError } from '@hyper2kvm/contracts';
import { runGuarded } from '@hyper2kvm/runtime';
import type { DomainPlan } from './plan.js';

const LIMIT_MS = 60_000;

/**
 * Defines the domain; again is fine.
 * @throws JobError LIBVIRT when another domain has its name, or libvirt cannot be reached
 */
export async function defineDomain(
  uri: string,
  plan: DomainPlan,
  xmlFile: string,
  signal: AbortSignal,
): Promise<string> {
  const known = await virsh(uri, ['list', '--all', '--uuid', '--name'], signal);
  for (const line of known.split('\n')) {
    const match = /^\s*([0-9a-f-]{36})\s+(.+?)\s*$/.exec(line);
    if (match?.[2] === plan.name && match[1] !== plan.uuid) {
      throw new JobError(
        'LIBVIRT',
        `${uri} already has another domain named ${plan.name} (${match[1]}); it was left alone`,
        { step: 'define' },
      );
    }
  }
  await virsh(uri, ['define', '--validate', xmlFile], signal);
  return plan.name;
}

async function virsh(uri: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  try {
    const env = { LC_ALL: 'C.UTF-8' };
    return (await runGuarded('virsh', ['-q', '-c', uri, ...args], { signal, env, timeoutMs: LIMIT_MS })).stdout;
  } catch (error) {
    signal.throwIfAborted();
    const why = error instanceof Error ? error.message : String(error);
    throw new JobError('LIBVIRT', `libvirt (${uri}): ${why}`, { step: 'define', cause: error });
  }
}
