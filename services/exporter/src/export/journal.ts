import { readFile, rm } from 'node:fs/promises';
import { ArtifactDisk, JobId, Machine } from '@hyper2kvm/contracts';
import { z } from 'zod';
import { writeJson } from '../files/index.js';

/** `export.json`: what an export has begun, written before it begins it. It goes when nothing is left to clean up. */
const JournalState = z.object({
  version: z.literal(1),
  job_id: JobId,
  /** Managed object id of the VM. */
  vm: z.string().optional(),
  /** As described before the snapshot: afterwards the disks' file names are those of its deltas. */
  machine: Machine.optional(),
  /** Written without `moref` before it is made. */
  snapshot: z.object({ name: z.string(), moref: z.string().optional() }).optional(),
  /** Managed object id of the lease that is held. */
  lease: z.string().optional(),
  /** Finished and verified, all from `snapshot.moref`. */
  disks: z.array(ArtifactDisk),
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
    const empty: JournalState = { version: 1, job_id: jobId, disks: [] };
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
