import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import type { DomainPlan } from './plan.js';

/** libvirt starts it for an emulated TPM, and finds it in its own PATH, which is root's. */
const FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** A domain with a TPM is defined all the same: it may be meant for another host. */
export async function swtpmConcerns(plan: DomainPlan, folders: readonly string[] = FOLDERS): Promise<string[]> {
  if (!plan.tpm || (await isInstalled('swtpm', folders))) return [];
  return ['domain: it has a TPM, and the swtpm that emulates it is not installed here; install swtpm and swtpm-tools'];
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
