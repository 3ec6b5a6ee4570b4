import type { Described, VimSession } from '../sources/vsphere/index.js';
import { toJobError } from '../sources/vsphere/index.js';
import type { JobFolder } from './job-folder.js';
import type { Journal } from './journal.js';
import type { ExportPorts, ExportRequest, ExportSettings } from './ports.js';

/** What the stages of one export share. */
export interface ExportContext {
  readonly request: ExportRequest;
  readonly settings: ExportSettings;
  readonly ports: ExportPorts;
  readonly folder: JobFolder;
  readonly journal: Journal;
  readonly session: VimSession;
  readonly described: Described;
}

/** The snapshot of a job: one name, so that it is found again after a crash. */
export const snapshotName = (jobId: string): string => `hyper2kvm-${jobId}`;

/** Runs a step of the conversation with vCenter; its errors become what a user reads. @param doing "the snapshot of VM x" */
export async function withVcenter<T>(session: VimSession, doing: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw toJobError(error, session.server, doing);
  }
}
