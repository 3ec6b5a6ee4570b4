import { open, unlink, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { syncFolder } from '../../files/index.js';
import type { UnitRecord } from '../content-tracker.js';
import { headerLine, recordLine, type JournalHeader } from './journal-format.js';

/** Units that may wait for the disk: 64 MiB of data. */
const MAX_WAITING = 4;

/**
 * Notes units that are on the disk: first the image is flushed, then the lines are written and flushed. A slow disk makes
 * fewer flushes with more units each; the transfer goes on meanwhile.
 */
export class JournalWriter {
  private waiting: UnitRecord[] = [];
  private running: Promise<void> | undefined;
  private failure: Error | undefined;
  private stopped = false;

  private constructor(
    private readonly file: FileHandle,
    private position: number,
    private check: string,
    private readonly flushImage: () => Promise<void>,
  ) {}

  /** A new journal, durable with its header; the image has to exist. */
  static async create(file: string, header: JournalHeader, flushImage: () => Promise<void>): Promise<JournalWriter> {
    const handle = await open(file, 'wx', 0o600);
    try {
      const { text, check } = headerLine(header);
      await handle.write(text, 0);
      await handle.datasync();
      await syncFolder(path.dirname(file));
      return new JournalWriter(handle, Buffer.byteLength(text), check, flushImage);
    } catch (error) {
      await handle.close();
      await unlink(file).catch(() => {});
      throw error;
    }
  }

  /** Goes on behind a line; what follows it is cut off. @param check of that line @param position its end */
  static async reopen(
    file: string,
    position: number,
    check: string,
    flushImage: () => Promise<void>,
  ): Promise<JournalWriter> {
    const handle = await open(file, 'r+');
    try {
      await handle.truncate(position);
      await handle.datasync();
      return new JournalWriter(handle, position, check, flushImage);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  add(record: UnitRecord): void {
    this.waiting.push(record);
    this.running ??= this.run();
  }

  /** @throws the first error of image or journal */
  pressure(): Promise<void> | undefined {
    if (this.failure) throw this.failure;
    return this.waiting.length >= MAX_WAITING ? this.running : undefined;
  }

  /** Everything added is noted, durably. @throws the first error of image or journal */
  async drain(): Promise<void> {
    while (this.running !== undefined) await this.running;
    if (this.failure) throw this.failure;
  }

  /** Waits for what is under way, notes nothing more, and closes the file. */
  async close(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    await this.running;
    await this.file.close();
  }

  /** Never rejects. */
  private async run(): Promise<void> {
    // What is added in the same turn goes with the first flush.
    await Promise.resolve();
    try {
      while (this.waiting.length > 0 && !this.stopped) {
        const records = this.waiting;
        this.waiting = [];
        await this.flushImage();
        await this.write(records);
      }
    } catch (error) {
      this.failure ??= error instanceof Error ? error : new Error(String(error));
    }
    this.running = undefined;
  }

  private async write(records: readonly UnitRecord[]): Promise<void> {
    let text = '';
    for (const record of records) {
      const line = recordLine(record, this.check);
      this.check = line.check;
      text += line.text;
    }
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length;) {
      const { bytesWritten } = await this.file.write(bytes, at, bytes.length - at, this.position + at);
      at += bytesWritten;
    }
    await this.file.datasync();
    this.position += bytes.length;
  }
}
