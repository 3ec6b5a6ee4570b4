import type { WorkPort } from '../../../export/ports.js';
import type { ExportSettings } from '../../../export/settings.js';
import { toJobError } from '../faults.js';
import type { Described } from '../describe.js';
import type { VimSession } from '../session.js';
import type { CallOptions } from '../soap-http.js';
import type { NoteBook } from './notes.js';

/** What the stages of one export from vCenter share. */
export interface FlowContext {
  readonly jobId: string;
  readonly session: VimSession;
  readonly described: Described;
  readonly notes: NoteBook;
  readonly work: WorkPort;
  readonly settings: ExportSettings;
  /** How far the export is, for the lease. */
  readonly percent: () => number;
}

/** The snapshot of a job: one name, so that it is found again after a crash. */
export const snapshotName = (jobId: string): string => `hyper2kvm-${jobId}`;

/** Ends with the work. */
export const untilStopped = ({ work }: FlowContext): CallOptions => ({ signal: work.signal });

/** Runs a step of the conversation with vCenter; its errors become what a user reads. @param doing "the snapshot of VM x" */
export async function withVcenter<T>(session: VimSession, doing: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw toJobError(error, session.server, doing);
  }
}

export const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
