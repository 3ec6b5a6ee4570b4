import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { invalid, openFailure } from '../failures.js';
import type { AllowedRoots } from './allowed.js';
import { identityOf, type FileIdentity } from './identity.js';

/** Bytes of a file, or of a part of one. */
export interface ByteSource {
  /** For messages. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Exactly these bytes. @throws JobError SOURCE_INVALID when the file is too short for them */
  read(offset: number, length: number): Promise<Buffer>;
}

/** An open, regular file beneath the allowed folders. */
export class SourceFile implements ByteSource {
  private constructor(
    private readonly handle: FileHandle,
    readonly identity: FileIdentity,
  ) {}

  /** @throws JobError PATH_DENIED, SOURCE_INVALID */
  static async open(file: string, allowed: AllowedRoots): Promise<SourceFile> {
    const path = await allowed.resolve(file);
    let handle: FileHandle;
    try {
      // Nobody answers for a FIFO, and opening some devices does things: neither blocks, and neither is read.
      handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY);
    } catch (error) {
      throw openFailure(file, error);
    }
    try {
      const stats = await handle.stat({ bigint: true });
      if (stats.isDirectory()) throw invalid(file, 'is a directory');
      if (!stats.isFile()) throw invalid(file, 'is no regular file');
      if (stats.size === 0n) throw invalid(file, 'is empty');
      // The path may lead elsewhere since it was resolved.
      if ((await allowed.resolve(path)) !== path) throw invalid(file, 'was moved while it was opened');
      return new SourceFile(handle, identityOf(path, stats));
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Opens, reads, closes. */
  static async use<T>(file: string, allowed: AllowedRoots, work: (file: SourceFile) => Promise<T>): Promise<T> {
    const opened = await SourceFile.open(file, allowed);
    try {
      return await work(opened);
    } finally {
      await opened.close();
    }
  }

  get name(): string {
    return this.identity.path;
  }

  get sizeBytes(): number {
    return this.identity.sizeBytes;
  }

  async read(offset: number, length: number): Promise<Buffer> {
    if (offset < 0 || offset + length > this.sizeBytes) throw invalid(this.name, `ends before byte ${offset + length}`);
    const bytes = Buffer.alloc(length);
    for (let filled = 0; filled < length;) {
      const { bytesRead } = await this.handle.read(bytes, filled, length - filled, offset + filled);
      if (bytesRead === 0) throw invalid(this.name, `ends before byte ${offset + length}`);
      filled += bytesRead;
    }
    return bytes;
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

/** A part of a file, as a member of an archive is one. */
export function part(file: ByteSource, name: string, offset: number, sizeBytes: number): ByteSource {
  return {
    name,
    sizeBytes,
    read: async (at, length) => {
      if (at < 0 || at + length > sizeBytes) throw invalid(name, `ends before byte ${at + length}`);
      return file.read(offset + at, length);
    },
  };
}
