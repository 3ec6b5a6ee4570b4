/*
 * A header of a tar archive (POSIX.1-2001 `ustar` and `pax`, with GNU's extensions for long names and large numbers): 512 bytes.
 */
export const BLOCK = 512;

export interface TarHeader {
  readonly name: string;
  /** Of the data that follows, without its padding. */
  readonly sizeBytes: number;
  readonly type: string;
}

/** Why bytes are no header. */
export class TarError extends Error {
  override readonly name = 'TarError';
}

/** @returns undefined for a block of zeros, two of which end an archive @throws TarError */
export function parseTarHeader(block: Buffer): TarHeader | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  const told = octal(block, 148, 8);
  if (told === undefined || told !== checksum(block)) throw new TarError('a header with a wrong checksum');
  const sizeBytes = size(block);
  if (sizeBytes === undefined) throw new TarError('a header with a size that is no number');
  // GNU's old format uses the prefix for other things.
  const prefix = block.toString('latin1', 257, 263) === 'ustar\0' ? string(block, 345, 155) : '';
  const name = string(block, 0, 100);
  const type = String.fromCharCode(block[156] ?? 0);
  return { name: prefix === '' ? name : `${prefix}/${name}`, sizeBytes, type: type === '\0' ? '0' : type };
}

/** Records of a pax header: `<length> <key>=<value>\n`, the length counting itself. @throws TarError */
export function parsePax(bytes: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length;) {
    const blank = bytes.indexOf(0x20, at);
    const length = blank < 0 ? Number.NaN : Number(bytes.toString('latin1', at, blank));
    const record = bytes.toString('utf8', blank + 1, at + length - 1);
    const equals = record.indexOf('=');
    if (
      !Number.isInteger(length) ||
      length < 5 ||
      at + length > bytes.length ||
      equals < 1 ||
      bytes[at + length - 1] !== 0x0a
    )
      throw new TarError('a damaged pax header');
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}

/** Octal digits, or, with the first bit set, a binary number of the other 95 bits. */
function size(block: Buffer): number | undefined {
  if (((block[124] ?? 0) & 0x80) === 0) return octal(block, 124, 12);
  // Above 2^48 no file has such a size, and a negative one begins with 0xff.
  if (block[124] !== 0x80 || block.subarray(125, 130).some((byte) => byte !== 0)) return undefined;
  return block.readUIntBE(130, 6);
}

/** An empty field is 0: some writers leave the size of a directory out. */
function octal(block: Buffer, at: number, length: number): number | undefined {
  const text = string(block, at, length).trim();
  return /^[0-7]*$/.test(text) ? Number.parseInt(text === '' ? '0' : text, 8) : undefined;
}

function string(block: Buffer, at: number, length: number): string {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end);
}

/** The sum of all bytes, those of the checksum itself counted as blanks. */
function checksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (const [at, byte] of block.entries()) if (at < 148 || at >= 156) sum += byte;
  return sum;
}
