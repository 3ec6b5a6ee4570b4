import { concernOf, type Concern } from '@hyper2kvm/contracts';
import { closedFolders } from './access.js';
import { defineDomain, isLocal, type Defined, type DomainPlan, type Virsh } from './libvirt/index.js';
import type { WorkPort } from '../work.js';

/**
 * Defines the domain of an output folder at a libvirt, and starts it where that is asked for.
 * @throws JobError DOMAIN_EXISTS, LIBVIRT
 */
export async function defineOutput(
  libvirt: Virsh,
  plan: DomainPlan,
  folder: string,
  options: { readonly start?: boolean | undefined },
  work: Pick<WorkPort, 'log'>,
): Promise<Defined> {
  const step = { step: 'define' };
  const closed = isLocal(libvirt.uri) ? await folderConcerns(folder) : [];
  for (const { message } of closed) work.log('warn', message, step);
  const result = await defineDomain(libvirt, plan, folder, { start: options.start ?? false });
  work.log(
    'info',
    `${result.defined ? 'Defined' : 'Defined before'} in libvirt (${libvirt.uri}): ${result.name}`,
    step,
  );
  if (result.started) work.log('info', `Started: ${result.name}`, step);
  for (const { message } of result.concerns) work.log('warn', message, step);
  return { ...result, concerns: [...closed, ...result.concerns] };
}

/** QEMU runs as a user of its own under libvirt, and has to get to the images. */
export async function folderConcerns(folder: string): Promise<Concern[]> {
  const closed = await closedFolders(folder);
  if (closed.length === 0) return [];
  const message = `define: users other than its owner, such as libvirt's of QEMU, cannot pass ${closed.join(', ')}; chmod o+x opens it`;
  return [concernOf('TARGET', message)];
}
