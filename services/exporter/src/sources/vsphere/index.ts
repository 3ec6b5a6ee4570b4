export { checkLogin, type VcenterCheck } from './check.js';
export { NEEDED_PRIVILEGES, type NeededPrivilege } from './privileges.js';
export { readBackings, type DiskBacking } from './backings.js';
export { folderUrl, headFile, type RemoteFile } from './datastore-files.js';
export { describe, type Described, type VmChoice } from './describe.js';
export { diskTrust, diskUrl, hostOf, toTrust, type Endpoint } from './endpoint.js';
export { AnswerError, VimFault, isBusy, isGone, toJobError } from './faults.js';
export { listVms } from './list-vms.js';
export { assignDisks } from './lease-disks.js';
export {
  abortLease,
  completeLease,
  leaseManifest,
  leaseRef,
  reportProgress,
  requestLease,
  waitUntilReady,
  type Lease,
  type ManifestEntry,
} from './lease.js';
export type { SourceDisk } from './machine.js';
export { powerOff, powerState, shutdownGuest, type VmPowerState } from './power.js';
export { VimSession } from './session.js';
export { VcenterSessions, type SessionTimes } from './sessions.js';
export { createSnapshot, findSnapshots, removeSnapshot, snapshotRef, type Snapshot } from './snapshots.js';
export { consolidationNeeded, datastoreSpace, snapshotDeltaBytes, type DatastoreSpace } from './storage.js';
export { serverTime } from './time.js';
export type { Ref } from './values.js';
