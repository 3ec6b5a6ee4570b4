import { invalid } from '../failures.js';
import type { ByteSource } from '../files/source-file.js';
import type { HeaderFacts } from './facts.js';

/*
 * VHD, after Microsoft's "Virtual Hard Disk Image Format Specification" 1.0; all numbers are big-endian. The footer is the
 * last sector; dynamic disks repeat it as the first.
 */
const FOOTER_BYTES = 512;
const COOKIE = 'conectix';
const TYPE = { fixed: 2, dynamic: 3, differencing: 4 } as const;

/** @throws JobError SOURCE_INVALID */
export async function readVhd(file: ByteSource): Promise<HeaderFacts> {
  if (file.sizeBytes < FOOTER_BYTES * 2) throw invalid(file.name, 'is too short for a VHD');
  const first = await file.read(0, FOOTER_BYTES);
  const last = await file.read(file.sizeBytes - FOOTER_BYTES, FOOTER_BYTES);
  if (!isFooter(last)) throw invalid(file.name, 'has no VHD footer at its end: it was cut off');
  const footers = isFooter(first) ? [first, last] : [last];
  for (const footer of footers) {
    const type = footer.readUInt32BE(60);
    if (type === TYPE.differencing)
      throw invalid(file.name, 'is a differencing VHD: it holds only the changes to another file; merge them first');
    if (type !== TYPE.fixed && type !== TYPE.dynamic) throw invalid(file.name, `is a VHD of unknown type ${type}`);
    if (footer.readUInt32BE(64) !== checksum(footer)) throw invalid(file.name, 'has a damaged VHD footer');
  }
  // QEMU reads the first, if there is one.
  if (footers.length === 2 && !first.equals(last)) throw invalid(file.name, 'has two VHD footers that differ');
  const dynamic = last.readUInt32BE(60) === TYPE.dynamic;
  if (dynamic !== (footers.length === 2)) throw invalid(file.name, 'has a VHD footer at one end only');
  const capacityBytes = Number(last.readBigUInt64BE(48));
  if (!dynamic && capacityBytes > file.sizeBytes - FOOTER_BYTES)
    throw invalid(file.name, `should hold ${capacityBytes} bytes, and has ${file.sizeBytes - FOOTER_BYTES}`);
  return { capacityBytes, concerns: [] };
}

const isFooter = (sector: Buffer): boolean => sector.subarray(0, 8).toString('latin1') === COOKIE;

/** The complement of the sum of all bytes but those of the checksum. */
function checksum(footer: Buffer): number {
  let sum = 0;
  for (const [at, byte] of footer.entries()) if (at < 64 || at >= 68) sum += byte;
  return ~sum >>> 0;
}
