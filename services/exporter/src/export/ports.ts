import type { JobLog, JobProgress, Machine } from '@hyper2kvm/contracts';
import type { Endpoint } from '../sources/vsphere/index.js';
import type { Children } from '../transfer/index.js';
import type { Slots } from './slots.js';

/** What an export is asked to do. */
export interface ExportRequest {
  readonly jobId: string;
  readonly attempt: number;
  /** Rises with each worker that takes the job: unfinished files lie in a folder that carries it. */
  readonly epoch: number;
  /** Name, inventory path or managed object id. */
  readonly vmName: string;
  readonly moref?: string;
  readonly endpoint: Endpoint;
}

/** The part of the runtime's WorkContext that an export needs. */
export interface WorkPort {
  /** Its reason tells `kind`: cancelled, lease lost or shutdown. */
  readonly signal: AbortSignal;
  /** @throws when another worker owns the job by now */
  assertOwner(): Promise<void>;
  progress(update: Omit<JobProgress, 'job_id' | 'attempt' | 'time'>): void;
  log(level: JobLog['level'], message: string): void;
}

export interface ExportPorts {
  readonly work: WorkPort;
  readonly children: Children;
  /** Shared by all exports of this worker. */
  readonly diskSlots: Slots;
  /** The VM was found and can be exported. */
  started?(machine: Machine): Promise<void>;
}

/** Times in milliseconds. */
export interface ExportSettings {
  /** Images and manifests of a job lie in `<workDir>/<job>`. */
  readonly workDir: string;
  readonly maxDisksPerVm: number;
  /** A stream without data for this long is given up. */
  readonly stallTimeoutMs: number;
  /** How long a lease of somebody else is waited out. */
  readonly leaseWaitMs: number;
  /** An older snapshot of this job is not used any more. */
  readonly snapshotMaxAgeMs: number;
  /** Pauses before a broken transfer of a disk begins again, and how often it does. */
  readonly diskRetryMs: readonly number[];
  /** Pauses between tries to remove the snapshot. */
  readonly cleanupRetryMs: readonly number[];
}

export const DEFAULT_SETTINGS: Omit<ExportSettings, 'workDir'> = {
  maxDisksPerVm: 3,
  stallTimeoutMs: 60_000,
  // A little longer than a lease that nobody renews lives.
  leaseWaitMs: 330_000,
  snapshotMaxAgeMs: 24 * 3_600_000,
  diskRetryMs: [2_000, 10_000],
  cleanupRetryMs: [1_000, 3_000, 10_000, 20_000],
};
