import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { syncFolder } from '../files/index.js';

const EPOCH = /^a(\d+)\.e(\d+)$/;

/**
 * `<work dir>/<job>/`: artifact.json and finished disks; export.json (the journal) while there is something to clean up;
 * `a<attempt>.e<epoch>/` with what is under way.
 */
export class JobFolder {
  readonly path: string;
  readonly epochPath: string;

  constructor(
    private readonly workDir: string,
    jobId: string,
    private readonly attempt: number,
    private readonly epoch: number,
  ) {
    this.path = path.join(workDir, jobId);
    this.epochPath = path.join(this.path, `a${attempt}.e${epoch}`);
  }

  get journalFile(): string {
    return path.join(this.path, 'export.json');
  }

  get artifactFile(): string {
    return path.join(this.path, 'artifact.json');
  }

  disk(file: string): string {
    return path.join(this.path, file);
  }

  partial(file: string): string {
    return path.join(this.epochPath, `${file}.partial`);
  }

  /** Creates the folders and removes what owners before this one had under way. */
  async prepare(): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o750 });
    for (const name of await readdir(this.path)) {
      const [, attempt, epoch] = EPOCH.exec(name) ?? [];
      if (attempt === undefined || epoch === undefined) continue;
      const older = Number(attempt) - this.attempt || Number(epoch) - this.epoch;
      // An owner that was stopped for long may still write there: what it writes is lost, as it has to be.
      if (older < 0) await rm(path.join(this.path, name), { recursive: true, force: true });
    }
    await mkdir(this.epochPath, { recursive: true, mode: 0o750 });
    await syncFolder(this.workDir);
  }

  async removeEpoch(): Promise<void> {
    await rm(this.epochPath, { recursive: true, force: true });
  }

  async remove(files: readonly string[]): Promise<void> {
    for (const file of files) await rm(this.disk(file), { force: true });
  }

  /** Removes everything, the folder included. */
  async removeAll(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}
