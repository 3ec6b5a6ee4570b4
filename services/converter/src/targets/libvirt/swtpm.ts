import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { concernOf, type Concern } from '@hyper2kvm/contracts';
import type { DomainPlan } from './plan.js';

/** libvirt starts it for an emulated TPM, and finds it in its own PATH, which is root's. */
const FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** A domain with a TPM is defined all the same: it may be meant for another host. */
export async function swtpmConcerns(
  plan: Pick<DomainPlan, 'tpm'>,
  folders: readonly string[] = FOLDERS,
): Promise<Concern[]> {
  if (!plan.tpm || (await isInstalled('swtpm', folders))) return [];
  const message = 'domain: it has a TPM, and the swtpm that emulates it is not installed on this worker';
  return [concernOf('TPM_MISSING', message)];
}

async function isInstalled(command: string, folders: readonly string[]): Promise<boolean> {
  for (const folder of folders) {
    const found = await access(path.join(folder, command), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}
