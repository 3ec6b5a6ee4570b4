import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

const CHUNK_BYTES = 64 * 1024;
/** A line that never ends is shown in pieces. */
const LONGEST_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

/** Where a reading of a file ended. */
export interface Position {
  readonly inode: number;
  readonly offset: number;
}

const open = (path: string): number | undefined => {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};

/**
 * Lines of a file from its end, read backwards until there are enough, or `isOld` says that the first of them is old enough.
 * A last line that is still being written is left to whoever goes on from the position.
 */
export function lastLines(
  path: string,
  count: number,
  isOld: (line: string) => boolean,
): { lines: string[]; end: Position | undefined; whole: boolean } {
  const fd = open(path);
  if (fd === undefined) return { lines: [], end: undefined, whole: true };
  try {
    const { size, ino } = fstatSync(fd);
    let data = Buffer.alloc(0);
    let at = size;
    let lines: string[] = [];
    let whole = at === 0;
    while (at > 0) {
      const length = Math.min(CHUNK_BYTES, at);
      at -= length;
      const chunk = Buffer.alloc(length);
      readSync(fd, chunk, 0, length, at);
      data = Buffer.concat([chunk, data]);
      whole = at === 0;
      // What comes before the first line end may be the rest of a longer line.
      const from = whole ? 0 : data.indexOf(NEWLINE) + 1;
      lines = data
        .subarray(from, data.lastIndexOf(NEWLINE) + 1)
        .toString('utf8')
        .split('\n')
        .slice(0, -1);
      if (lines.length >= count || (lines[0] !== undefined && isOld(lines[0]))) break;
    }
    const last = data.lastIndexOf(NEWLINE) + 1;
    return { lines: lines.slice(-count), end: { inode: ino, offset: size - (data.length - last) }, whole };
  } finally {
    closeSync(fd);
  }
}

/** Goes on reading a file where it was left, also when it is moved aside and begun anew. */
export class Follower {
  #fd: number | undefined;
  #inode: number | undefined;
  #offset = 0;
  #rest = Buffer.alloc(0);

  /** @param from where there is none, the file that comes is read from its beginning */
  constructor(
    private readonly path: string,
    from: Position | undefined,
  ) {
    this.#reopen();
    if (from !== undefined && from.inode === this.#inode) this.#offset = from.offset;
  }

  /** What was written since. */
  lines(): string[] {
    const lines = this.#read();
    // Only what was written before it was moved is in the old file, and that was just read.
    if (statSync(this.path, { throwIfNoEntry: false })?.ino === this.#inode) return lines;
    lines.push(...this.#read());
    this.close();
    this.#reopen();
    return [...lines, ...this.#read()];
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    this.#inode = undefined;
  }

  #reopen(): void {
    this.#fd = open(this.path);
    this.#inode = this.#fd === undefined ? undefined : fstatSync(this.#fd).ino;
    this.#offset = 0;
    this.#rest = Buffer.alloc(0);
  }

  #read(): string[] {
    if (this.#fd === undefined) return [];
    // Made shorter by somebody: from its beginning.
    if (fstatSync(this.#fd).size < this.#offset) this.#offset = 0;
    const lines: string[] = [];
    for (;;) {
      const chunk = Buffer.alloc(CHUNK_BYTES);
      const length = readSync(this.#fd, chunk, 0, CHUNK_BYTES, this.#offset);
      if (length === 0) return lines;
      this.#offset += length;
      const data = Buffer.concat([this.#rest, chunk.subarray(0, length)]);
      const end = data.length > LONGEST_BYTES ? data.length : data.lastIndexOf(NEWLINE) + 1;
      this.#rest = data.subarray(end);
      if (end > 0) lines.push(...data.subarray(0, end).toString('utf8').replace(/\n$/, '').split('\n'));
    }
  }
}
