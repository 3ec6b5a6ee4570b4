import { createHash, type Hash } from 'node:crypto';
import { CLUSTER } from '../image/index.js';
import { ContentTracker } from './content-tracker.js';
import type { Sink } from './inputs/input.js';
import type { DigestName, TransferResult } from './messages.js';
import type { RateLimit } from './rate-limit.js';
import type { OpenImage } from './resume/open-image.js';

/** Writes and hashes what an input gives. */
export class ImageSink implements Sink {
  private readonly tracker: ContentTracker;
  private readonly hashes: (readonly [DigestName, Hash])[];
  private bytesDownloaded = 0;
  private doneBytes: number;

  /** @param digests of the stream; none where the input is no stream */
  constructor(
    private readonly image: OpenImage,
    disk: { capacityBytes: number; segmentBytes: number },
    digests: readonly DigestName[],
    private readonly rate: RateLimit,
    private readonly report: (doneBytes: number, bytesDownloaded: number) => void,
  ) {
    const { writer, journal, start, startAt } = image;
    const note = (record: Parameters<NonNullable<ConstructorParameters<typeof ContentTracker>[2]>>[0]): void =>
      journal?.add({ ...record, next: writer.nextCluster });
    this.tracker = new ContentTracker(
      disk.capacityBytes,
      disk.segmentBytes,
      journal === undefined ? undefined : note,
      start,
    );
    this.hashes = [...new Set(digests)].map((name) => [name, createHash(name)] as const);
    this.doneBytes = startAt;
  }

  data(offset: number, content: Buffer): void {
    // The tracker closes units before the writer places what lies behind them.
    this.tracker.data(offset, content);
    this.image.writer.add(offset / CLUSTER, content);
  }

  pressure(): Promise<void> | undefined {
    return this.image.journal?.pressure() ?? this.image.writer.pressure();
  }

  received(bytes: Buffer): void {
    this.bytesDownloaded += bytes.length;
    for (const [, hash] of this.hashes) hash.update(bytes);
    this.rate.take(bytes.length);
    this.report(this.doneBytes, this.bytesDownloaded);
  }

  throttle(): Promise<void> | undefined {
    return this.rate.wait();
  }

  progress(doneBytes: number): void {
    this.doneBytes = doneBytes;
    this.tracker.passed(doneBytes);
    this.report(doneBytes, this.bytesDownloaded);
  }

  /** The input is complete: the image becomes one. */
  async finish(): Promise<TransferResult> {
    const { writer, journal, startAt } = this.image;
    const segments = this.tracker.finish();
    await journal?.drain();
    const imageBytes = await writer.finish();
    return {
      bytesDownloaded: this.bytesDownloaded,
      bytesResumed: startAt,
      digests: Object.fromEntries(this.hashes.map(([name, hash]) => [name, hash.digest('hex')])),
      segments,
      imageBytes,
    };
  }
}
