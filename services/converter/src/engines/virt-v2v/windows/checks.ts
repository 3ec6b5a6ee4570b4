import { JobError } from '@hyper2kvm/contracts';
import type { Appliance, GuestFacts } from '../../../guest/index.js';
import { findFile } from './files.js';
import { isHibernated } from './signatures.js';

/**
 * A Windows that sleeps keeps part of its file system in its memory image: a conversion would be undone, or break it.
 * Leaves it mounted for writing.
 * @throws JobError GUEST_HIBERNATED
 */
export async function refuseHibernated(appliance: Appliance, guest: Pick<GuestFacts, 'root'>): Promise<void> {
  const hiberfil = await findFile(appliance, '/hiberfil.sys');
  if (hiberfil !== undefined && isHibernated(await appliance.attempt(['pread', hiberfil, '4', '0']))) {
    throw new JobError(
      'GUEST_HIBERNATED',
      'Windows is hibernated, or was shut down with fast startup: hiberfil.sys says so',
    );
  }
  // It was mounted for reading; NTFS-3G falls back to that where it may not write.
  await appliance.call(['umount-all']);
  await appliance.attempt(['mount-options', '', guest.root, '/']);
  const probe = (await appliance.attempt(['mkdtemp', '/hyper2kvmXXXXXX'])).trim();
  if (probe === '') {
    throw new JobError(
      'GUEST_HIBERNATED',
      `the file system of Windows (${guest.root}) cannot be written to: it was not unmounted cleanly`,
    );
  }
  await appliance.call(['rmdir', probe]);
}

/** VMware Tools are uninstalled by a script at the first start. Their folder is this one in every version. */
export const hasVmwareTools = async (appliance: Appliance): Promise<boolean> =>
  (await findFile(appliance, '/program files/vmware/vmware tools/vmtoolsd.exe')) !== undefined;
