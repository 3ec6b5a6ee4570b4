import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { syncFolder } from '../files/index.js';

const EPOCH = /^a(\d+)\.e(\d+)$/;

interface EpochFolder {
  readonly name: string;
  readonly attempt: number;
  readonly epoch: number;
}

const byAge = (a: EpochFolder, b: EpochFolder): number => a.attempt - b.attempt || a.epoch - b.epoch;

/**
 * `<work dir>/<job>/`: artifact.json and finished disks; export.json (the journal) while there is something to clean up;
 * `a<attempt>.e<epoch>/` with what is under way.
 */
export class JobFolder {
  readonly path: string;
  readonly epochPath: string;
  private readonly own: EpochFolder;

  constructor(
    private readonly workDir: string,
    jobId: string,
    attempt: number,
    epoch: number,
  ) {
    this.path = path.join(workDir, jobId);
    this.own = { name: `a${attempt}.e${epoch}`, attempt, epoch };
    this.epochPath = path.join(this.path, this.own.name);
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

  /** What a partial image holds, as its transfer notes it. */
  partialJournal(file: string): string {
    return `${this.partial(file)}.journal`;
  }

  /**
   * Creates the folders. What the owner before this one had under way becomes this one's, as a whole and by one rename: an
   * image and its journal never part. What older owners had is removed.
   *
   * The former owner may only have been stopped for long, and may write on into the files that it holds open. That does no
   * harm. By name it finds nothing any more. What it writes by its handles, it writes under the same binding: the same
   * content, laid out in the same order of the disk, so the same bytes at the same places, and the same lines in the journal
   * (whose torn or foreign ones end what is taken over). Under another binding the files were removed, and its handles lead
   * nowhere. Whatever it does, an image counts only after all of it was read back through QEMU and compared.
   */
  async prepare(): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o750 });
    const older = (await this.epochs()).filter((folder) => byAge(folder, this.own) < 0).toSorted(byAge);
    const newest = older.pop();
    for (const { name } of older) await rm(path.join(this.path, name), { recursive: true, force: true });
    if (newest !== undefined) await this.takeOver(path.join(this.path, newest.name));
    await mkdir(this.epochPath, { recursive: true, mode: 0o750 });
    await syncFolder(this.path);
    await syncFolder(this.workDir);
  }

  private async takeOver(from: string): Promise<void> {
    try {
      await rename(from, this.epochPath);
    } catch (error) {
      // This epoch has begun already (a redelivery within the same lease): what is older is of no use to it.
      if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      await rm(from, { recursive: true, force: true });
    }
  }

  private async epochs(): Promise<EpochFolder[]> {
    return (await readdir(this.path)).flatMap((name) => {
      const [, attempt, epoch] = EPOCH.exec(name) ?? [];
      return attempt === undefined || epoch === undefined
        ? []
        : [{ name, attempt: Number(attempt), epoch: Number(epoch) }];
    });
  }

  /** Forgets what is under way of one disk, or of all. */
  async removePartial(file: string): Promise<void> {
    // The journal first: without it an image is nothing to go on from.
    await rm(this.partialJournal(file), { force: true });
    await rm(this.partial(file), { force: true });
  }

  async removePartials(): Promise<void> {
    await rm(this.epochPath, { recursive: true, force: true });
    await mkdir(this.epochPath, { recursive: true, mode: 0o750 });
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
