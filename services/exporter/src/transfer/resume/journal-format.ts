import { createHash } from 'node:crypto';
import type { UnitRecord } from '../content-tracker.js';

/*
 * JSON lines: a header that says what the content is, then a line for each unit that is on the disk. Each line carries a
 * check over itself and the check of the line before, so that a torn, altered, missing or foreign line ends what is read.
 */
const VERSION = 1;

/** What a journal is bound to: another value of any field, and nothing of it is used. */
export interface JournalHeader {
  readonly binding: string;
  readonly sizeBytes: number;
  readonly lastModified?: string;
  readonly etag?: string;
  readonly capacityBytes: number;
  readonly segmentBytes: number;
  readonly unitBytes: number;
}

export interface ParsedJournal {
  readonly records: readonly UnitRecord[];
  /** End of each record's line, in bytes; the header's comes first. */
  readonly ends: readonly number[];
  /** Checks of the same lines. */
  readonly checks: readonly string[];
}

export interface Line {
  readonly text: string;
  readonly check: string;
}

export function headerLine(header: JournalHeader): Line {
  const { binding, sizeBytes, lastModified = null, etag = null, capacityBytes, segmentBytes, unitBytes } = header;
  return sealed(
    { version: VERSION, binding, sizeBytes, lastModified, etag, capacityBytes, segmentBytes, unitBytes },
    '',
  );
}

/** @param before the check of the line before */
export function recordLine(record: UnitRecord, before: string): Line {
  const { unit, next, crc, clusters, hash } = record;
  return sealed({ unit, next, crc, clusters: clusters?.toString('base64'), hash }, before);
}

/** The records up to the first line that does not fit; undefined when the header does not. */
export function parseJournal(bytes: Buffer, header: JournalHeader): ParsedJournal | undefined {
  const first = headerLine(header);
  const headerEnd = Buffer.byteLength(first.text);
  if (bytes.toString('utf8', 0, headerEnd) !== first.text) return undefined;
  const records: UnitRecord[] = [];
  const ends = [headerEnd];
  const checks = [first.check];
  const bitmapBytes = Math.ceil(header.unitBytes / 65_536 / 8);
  for (let from = headerEnd; ;) {
    const end = bytes.indexOf(0x0a, from) + 1;
    if (end === 0) break;
    const text = bytes.toString('utf8', from, end);
    const record = parseRecord(text, records.length, bitmapBytes);
    if (record === undefined) break;
    // Written again from what was read: equal only when nothing but these values stood there.
    const line = recordLine(record, checks.at(-1) ?? '');
    if (line.text !== text) break;
    records.push(record);
    ends.push(end);
    checks.push(line.check);
    from = end;
  }
  return { records, ends, checks };
}

function parseRecord(text: string, unit: number, bitmapBytes: number): UnitRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { unit: told, next, crc, clusters, hash } = value as Record<string, unknown>;
  if (told !== unit || !isCount(next) || !isCount(crc)) return undefined;
  if (hash !== undefined && hash !== null && !(typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash)))
    return undefined;
  const bitmap = typeof clusters === 'string' ? Buffer.from(clusters, 'base64') : undefined;
  if (bitmap !== undefined && bitmap.length !== bitmapBytes) return undefined;
  return {
    unit,
    next,
    crc,
    ...(bitmap === undefined ? {} : { clusters: bitmap }),
    ...(hash === undefined ? {} : { hash }),
  };
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function sealed(fields: Record<string, unknown>, before: string): Line {
  const check = createHash('sha256').update(before).update(JSON.stringify(fields)).digest('hex').slice(0, 16);
  return { text: `${JSON.stringify({ ...fields, check })}\n`, check };
}
