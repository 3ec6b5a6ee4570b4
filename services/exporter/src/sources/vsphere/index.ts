export { describe, type Described, type VmChoice } from './describe.js';
export { diskTrust, diskUrl, hostOf, toTrust, type Endpoint } from './endpoint.js';
export { AnswerError, VimFault, isBusy, isGone, toJobError } from './faults.js';
export { assignDisks } from './lease-disks.js';
export {
  abortLease,
  completeLease,
  leaseRef,
  reportProgress,
  requestLease,
  waitUntilReady,
  type Lease,
} from './lease.js';
export type { SourceDisk } from './machine.js';
export { VimSession } from './session.js';
export { createSnapshot, findSnapshots, removeSnapshot, snapshotRef, type Snapshot } from './snapshots.js';
export { serverTime } from './time.js';
export type { Ref } from './values.js';
