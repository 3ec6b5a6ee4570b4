/** A privilege by vSphere's id, and what it is for. */
export interface NeededPrivilege {
  readonly privilege: string;
  readonly neededFor: string;
  /** False for what only some migrations need. */
  readonly required: boolean;
}

const needed = (privilege: string, neededFor: string, required = true): NeededPrivilege => ({
  privilege,
  neededFor,
  required,
});

/**
 * All that a migration does at vCenter, operation by operation, after the vSphere Web Services API reference. The table of
 * docs/vcenter-privileges.md is the same one.
 */
export const NEEDED_PRIVILEGES: readonly NeededPrivilege[] = [
  needed('System.View', 'seeing the inventory'),
  needed('System.Read', 'reading VMs, their hardware, hosts, datastores and tags'),
  needed('VirtualMachine.State.CreateSnapshot', 'the temporary snapshot that disks are read from'),
  needed('VirtualMachine.State.RemoveSnapshot', 'its removal'),
  needed('VApp.Export', 'the export stream of a snapshot'),
  needed('VirtualMachine.Provisioning.DiskRandomRead', "reading a disk's content from its host"),
  needed('VirtualMachine.Provisioning.GetVmFiles', "downloading a VM's files from its host"),
  needed(
    'Datastore.Browse',
    'disks by ranges of their files (--transport datastore, and auto where that suits)',
    false,
  ),
  needed('Datastore.FileManagement', 'the same: reading those files', false),
  needed('VirtualMachine.Interact.PowerOff', '--source-power shutdown and off', false),
];
