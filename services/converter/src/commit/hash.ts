import path from 'node:path';
import { readImage } from '../content/index.js';
import type { WorkPort } from '../work.js';
import type { CommitMarker } from './marker.js';

/**
 * SHA-256 of each segment of a finished image: what it is compared with later. Costs one core for the data in it, see readImage.
 */
export async function hashImage(
  image: CommitMarker['images'][number],
  jobDir: string,
  partial: string,
  work: WorkPort,
  progress: (doneBytes: number) => void,
): Promise<(string | null)[]> {
  const start = performance.now();
  const { segments, bytesRead } = await readImage({
    file: path.join(partial, image.output),
    format: image.output_format ?? image.format,
    capacityBytes: image.capacity_bytes,
    folder: jobDir,
    signal: work.signal,
    progress,
  });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const amount = `${segments.length} segments, ${Math.ceil(bytesRead / 1024 ** 2)} MiB of data`;
  work.log('info', `Hashed for later checks: ${image.output} (${amount}, ${seconds} s)`, { step: 'commit' });
  return segments;
}
