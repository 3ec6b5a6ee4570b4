import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';

const LIMIT_BYTES = 20 * 1024 * 1024;

const note = (text: string): string =>
  JSON.stringify({ level: 'warn', time: new Date().toISOString(), service: 'supervisor', msg: text });

/**
 * The log of a service. One old file is kept beside it (`.1`): a log that grows for months does not fill the disk that disks are
 * exported to. On a full disk lines are lost, counted, and the loss is told where there is room again; the service goes on.
 */
export class LogFile {
  #fd: number | undefined;
  #bytes = 0;
  #lost = 0;

  constructor(
    private readonly path: string,
    private readonly limitBytes = LIMIT_BYTES,
  ) {}

  /** Adds a line. Never throws. */
  line(text: string): void {
    try {
      if (this.#lost > 0) this.#write(note(`${this.#lost} lines of this log are lost: they could not be written`));
      this.#lost = 0;
      this.#write(text);
    } catch {
      this.#lost += 1;
      this.close();
    }
  }

  /** What the supervisor has to say of its service. */
  note(text: string): void {
    this.line(note(text));
  }

  close(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
  }

  #write(text: string): void {
    if (this.#fd !== undefined && this.#bytes > this.limitBytes) {
      this.close();
      renameSync(this.path, `${this.path}.1`);
    }
    if (this.#fd === undefined) {
      this.#fd = openSync(this.path, 'a', 0o640);
      this.#bytes = fstatSync(this.#fd).size;
    }
    const data = Buffer.from(`${text}\n`);
    // A disk that is just full takes the first part only.
    const written = writeSync(this.#fd, data);
    this.#bytes += written;
    if (written < data.length) throw new Error('no space is left');
  }
}
