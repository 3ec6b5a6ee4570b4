import type { DisksSource, ExportOptions, JobLog, JobProgress, Machine, OvaSource } from '@hyper2kvm/contracts';
import type { Endpoint, VcenterSessions } from '../sources/vsphere/index.js';
import type { Children } from '../transfer/index.js';
import type { Bandwidth } from './bandwidth.js';
import type { Slots } from './slots.js';

interface CommonRequest {
  readonly jobId: string;
  readonly attempt: number;
  /** Rises with each worker that takes the job: unfinished files lie in a folder that carries it. */
  readonly epoch: number;
  /** vSphere: name, inventory path or managed object id. Files: what the VM will be called. */
  readonly vmName: string;
  readonly options?: Partial<ExportOptions>;
  /**
   * A failure that a retry can help is followed by one: snapshot, finished disks and journals stay for it. Whoever sets this
   * sees to the clean-up when no retry comes.
   */
  readonly keepForRetry?: boolean;
}

/** What an export is asked to do. */
export type ExportRequest = CommonRequest &
  (
    | { readonly endpoint: Endpoint; readonly moref?: string; readonly files?: undefined }
    | { readonly files: DisksSource | OvaSource; readonly endpoint?: undefined }
  );

/** The part of the runtime's WorkContext that an export needs. */
export interface WorkPort {
  /** Its reason tells `kind`: cancelled, lease lost or shutdown. */
  readonly signal: AbortSignal;
  /** @throws when another worker owns the job by now */
  assertOwner(): Promise<void>;
  progress(update: Omit<JobProgress, 'job_id' | 'attempt' | 'time'>): void;
  log(level: JobLog['level'], message: string, fields?: { course?: boolean }): void;
}

export interface ExportPorts {
  readonly work: WorkPort;
  readonly children: Children;
  /** Shared by all exports of this worker. */
  readonly diskSlots: Slots;
  /** One session per vCenter, shared by all exports of this worker. */
  readonly sessions: VcenterSessions;
  /** Shared by all exports of this worker. Without it only the job's own limit counts. */
  readonly bandwidth?: Bandwidth;
  /** The VM was found and can be exported. */
  started?(machine: Machine): Promise<void>;
}
