import { open } from 'node:fs/promises';

/** Reads what was appended to a file since the last look; the file may not be there yet. */
export class GrowingFile {
  private position = 0;
  /** All of it so far, as latin1: a serial console may say anything. */
  text = '';

  constructor(
    private readonly file: string,
    private readonly limitBytes: number,
  ) {}

  /** True once the file is larger than the limit; nothing more is read then. */
  get flooded(): boolean {
    return this.position >= this.limitBytes;
  }

  async read(): Promise<void> {
    const handle = await open(this.file, 'r').catch(() => undefined);
    if (handle === undefined) return;
    try {
      const chunk = Buffer.alloc(65_536);
      while (!this.flooded) {
        const { bytesRead } = await handle.read(chunk, 0, chunk.length, this.position);
        if (bytesRead === 0) return;
        this.position += bytesRead;
        this.text += chunk.toString('latin1', 0, bytesRead);
      }
    } finally {
      await handle.close();
    }
  }
}
