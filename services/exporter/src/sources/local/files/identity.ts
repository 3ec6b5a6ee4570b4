import { lstat } from 'node:fs/promises';
import { changed } from '../failures.js';

/** What tells that a file is still the one that was looked at. */
export interface FileIdentity {
  /** Without symbolic links. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Nanoseconds, as text: more digits than a number holds. */
  readonly modified: string;
  readonly inode: string;
}

interface Stats {
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly dev: bigint;
  readonly ino: bigint;
}

export const identityOf = (path: string, stats: Stats): FileIdentity => ({
  path,
  sizeBytes: Number(stats.size),
  modified: String(stats.mtimeNs),
  inode: `${stats.dev}:${stats.ino}`,
});

export const asText = ({ path, sizeBytes, modified, inode }: FileIdentity): string =>
  JSON.stringify([path, sizeBytes, modified, inode]);

/** @throws JobError SOURCE_CHANGED when it is another file now, or has other content by its size and time */
export async function assertUnchanged(files: readonly FileIdentity[]): Promise<void> {
  for (const file of files) {
    const now = await lstat(file.path, { bigint: true }).catch(() => undefined);
    if (now?.isFile() !== true || asText(identityOf(file.path, now)) !== asText(file)) throw changed(file.path);
  }
}
