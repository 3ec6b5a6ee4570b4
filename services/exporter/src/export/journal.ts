import { readFile, rm } from 'node:fs/promises';
import { JobId } from '@hyper2kvm/contracts';
import { z } from 'zod';
import { writeJson } from '../files/index.js';
import type { SourceNotes } from '../sources/index.js';
import { FinishedDisk } from './finished.js';

/** `export.json`: what an export has begun, written before it begins it. It goes when nothing is left to clean up. */
const JournalState = z.object({
  version: z.literal(2),
  job_id: JobId,
  /** What all of `disks` come from: `PreparedSource.binding`. */
  binding: z.string().optional(),
  /** Finished and verified. */
  disks: z.array(FinishedDisk),
  /** The source's own: snapshot, leases, fingerprints. Its form is the source's matter. */
  source: z.unknown().optional(),
});
export type JournalState = z.infer<typeof JournalState>;

export class Journal {
  private writing: Promise<void> = Promise.resolve();

  private constructor(
    private readonly file: string,
    private current: JournalState,
  ) {}

  /** An unreadable journal counts as none: the snapshot is found by its name all the same. */
  static async open(file: string, jobId: string): Promise<Journal> {
    const empty: JournalState = { version: 2, job_id: jobId, disks: [] };
    try {
      const state = JournalState.parse(JSON.parse(await readFile(file, 'utf8')));
      return new Journal(file, state.job_id === jobId ? state : empty);
    } catch {
      return new Journal(file, empty);
    }
  }

  get state(): Readonly<JournalState> {
    return this.current;
  }

  /** The part that belongs to the source. */
  get notes(): SourceNotes {
    return {
      read: () => this.current.source,
      write: async (source) => this.update((state) => ({ ...state, source })),
    };
  }

  /** Durable when it resolves. Concurrent updates are written one after another. */
  async update(change: (state: JournalState) => JournalState): Promise<void> {
    this.current = change(this.current);
    const write = this.writing.then(() => writeJson(this.file, this.current));
    this.writing = write.catch(() => {});
    await write;
  }

  async remove(): Promise<void> {
    await this.writing;
    await rm(this.file, { force: true });
  }
}
