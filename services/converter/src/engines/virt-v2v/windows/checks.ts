import { JobError } from '@hyper2kvm/contracts';
import type { Appliance, GuestFacts } from '../../../guest/index.js';
import { findFile } from './files.js';
import { isBitLocker, isHibernated } from './signatures.js';

/**
 * A Windows that sleeps keeps part of its file system in its memory image: a conversion would be undone, or break it.
 * @throws JobError GUEST_HIBERNATED
 */
export async function refuseHibernated(appliance: Appliance): Promise<void> {
  const hiberfil = await findFile(appliance, '/hiberfil.sys');
  if (hiberfil !== undefined && isHibernated(await appliance.attempt(['pread', hiberfil, '4', '0']))) {
    throw new JobError(
      'GUEST_HIBERNATED',
      'Windows is hibernated, or was shut down with fast startup: hiberfil.sys says so',
    );
  }
  const probe = (await appliance.attempt(['mkdtemp', '/hyper2kvmXXXXXX'])).trim();
  if (probe === '') {
    throw new JobError(
      'GUEST_HIBERNATED',
      'the file system of Windows cannot be written to: it was not unmounted cleanly',
    );
  }
  await appliance.call(['rmdir', probe]);
}

/** Other volumes of the VM that are under BitLocker. (The system's own would not have been found.) */
export async function bitLockerVolumes(appliance: Appliance, guest: GuestFacts): Promise<string[]> {
  const volumes: string[] = [];
  for (const device of await appliance.lines(['list-partitions'])) {
    if (device === guest.root) continue;
    if (isBitLocker(await appliance.attempt(['pread-device', device, '11', '0']))) volumes.push(device);
  }
  return volumes;
}

/** VMware Tools are uninstalled by a script at the first start. Their folder is this one in every version. */
export const hasVmwareTools = async (appliance: Appliance): Promise<boolean> =>
  (await findFile(appliance, '/program files/vmware/vmware tools/vmtoolsd.exe')) !== undefined;
