import { CLUSTER } from './qcow2-layout.js';

const ZEROS = Buffer.alloc(CLUSTER);

/** Of up to a cluster. Looks at three bytes first: data rarely has zeros in all of them. */
export function isZero(content: Buffer): boolean {
  const { length } = content;
  if (content[0] !== 0 || content[length >> 1] !== 0 || content[length - 1] !== 0) return false;
  return content.equals(length === CLUSTER ? ZEROS : ZEROS.subarray(0, length));
}
