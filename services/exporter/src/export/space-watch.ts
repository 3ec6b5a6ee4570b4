import { freeBytes, tooFull } from './space.js';

/** Looks at the free space of a folder while images are written to it; `full` aborts with a JobError DISK_FULL. */
export class SpaceWatch {
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;

  /** @param needed what is still to be written, as far as it is known: for the message */
  constructor(
    private readonly folder: string,
    private readonly minFree: number,
    everyMs: number,
    private readonly needed: () => Promise<number>,
  ) {
    this.timer = setInterval(() => void this.look().catch(() => {}), everyMs);
  }

  get full(): AbortSignal {
    return this.controller.signal;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async look(): Promise<void> {
    const free = await freeBytes(this.folder);
    if (free >= this.minFree || this.full.aborted) return;
    this.stop();
    this.controller.abort(tooFull(this.folder, free, await this.needed(), this.minFree));
  }
}
