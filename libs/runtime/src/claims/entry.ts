import type { KvEntry } from 'nats';
import { ClaimRecord } from './record.js';

/** A lease whose record stood still for this long belongs to a worker that is gone. */
export const LEASE_MS = 45_000;
/** JetStream: "wrong last sequence". */
const WRONG_SEQUENCE = 10_071;

const encoder = new TextEncoder();

export const isConflict = (error: unknown): boolean =>
  (error as { api_error?: { err_code?: number } }).api_error?.err_code === WRONG_SEQUENCE;

export const encodeRecord = (record: ClaimRecord): Uint8Array => encoder.encode(JSON.stringify(record));

/** The record of an entry; undefined for one that was deleted. */
export function decodeRecord(entry: KvEntry | null): { record: ClaimRecord; revision: number } | undefined {
  if (entry === null || entry.operation !== 'PUT') return undefined;
  return { record: ClaimRecord.parse(entry.json()), revision: entry.revision };
}
