import { constants, inflateSync } from 'node:zlib';
import { VmdkError } from './errors.js';
import { GRAIN_BYTES, type VmdkHeader } from './format.js';
import { PUSH_BYTES, VmdkFramer, grainLength } from './framer.js';

/** A little more than a grain, so that one that is too long is seen as such and not as a full buffer. */
const INFLATE = { chunkSize: GRAIN_BYTES + 64, maxOutputLength: GRAIN_BYTES + 64, finishFlush: constants.Z_FINISH };

export interface DecoderEvents {
  header(header: VmdkHeader): void;
  /** Content of a grain that is not all zeros: the grain's guest-visible bytes, a buffer of its own. */
  data(index: number, content: Buffer): void;
  /** Called between pieces; a returned promise holds the input back. */
  pressure?(): Promise<void> | undefined;
}

/**
 * Streaming decoder of a streamOptimized VMDK. Memory is bounded: half a MiB of input, and what one piece sets free.
 * @throws VmdkError from `write` and `end` at the first byte that cannot be true; nothing may be used of the disk then
 */
export class VmdkDecoder {
  private readonly framer: VmdkFramer;

  constructor(private readonly events: DecoderEvents) {
    this.framer = new VmdkFramer({
      header: (header) => events.header(header),
      grain: (index, data, offset) => this.grain(index, data, offset),
    });
  }

  async write(chunk: Buffer): Promise<void> {
    for (let at = 0; at < chunk.length; at += PUSH_BYTES) {
      this.framer.push(chunk.subarray(at, at + PUSH_BYTES));
      const pressure = this.events.pressure?.();
      if (pressure !== undefined) await pressure;
    }
  }

  /** @throws VmdkError when the stream was not complete */
  end(): VmdkHeader {
    this.framer.end();
    const { header } = this.framer;
    if (header === undefined) throw new VmdkError('empty', 'the stream is empty', 0);
    return header;
  }

  private grain(index: number, data: Buffer, offset: number): void {
    const { header } = this.framer;
    if (header === undefined) return;
    const visible = grainLength(header, index);
    let content: Buffer;
    try {
      content = inflateSync(data, INFLATE);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new VmdkError('grain', `grain ${index} cannot be inflated: ${why}`, offset, { cause: error });
    }
    // The last grain may come whole or cut at the capacity.
    if (content.length !== GRAIN_BYTES && content.length !== visible)
      throw new VmdkError('grain', `grain ${index} has ${content.length} bytes instead of ${visible}`, offset);
    if (content.length > visible) content = content.subarray(0, visible);
    if (!isZero(content)) this.events.data(index, content);
  }
}

const ZEROS = Buffer.alloc(GRAIN_BYTES);

/** Looks at three bytes first: data rarely has zeros in all of them. */
function isZero(content: Buffer): boolean {
  const { length } = content;
  if (content[0] !== 0 || content[length >> 1] !== 0 || content[length - 1] !== 0) return false;
  return content.equals(length === GRAIN_BYTES ? ZEROS : ZEROS.subarray(0, length));
}
