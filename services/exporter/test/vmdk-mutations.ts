/** What may happen to a stream: damage on the way, and writers that do it wrong. */
import * as fc from 'fast-check';
import type { RecordKind, VmdkRecord } from './vmdk-generator.js';

const SECTOR = 512;
/** Where fields begin, and numbers that have broken parsers. */
const HEADER_FIELDS = [0, 4, 8, 12, 20, 28, 36, 44, 48, 56, 64, 72, 73, 77];
const NUMBERS = [
  0n,
  1n,
  2n,
  3n,
  4n,
  127n,
  128n,
  129n,
  512n,
  65_536n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];

/** Changes a list of records into another one; every number is taken modulo what there is. */
export type Mutation =
  | {
      readonly on: 'bytes';
      readonly how: 'flip' | 'overwrite' | 'insert' | 'delete';
      readonly at: number;
      readonly bytes: Uint8Array;
    }
  | {
      readonly on: 'sectors';
      readonly how: 'insert' | 'delete' | 'repeat';
      readonly at: number;
      readonly count: number;
    }
  | { readonly on: 'end'; readonly how: 'truncate' | 'append'; readonly at: number; readonly bytes: Uint8Array }
  | {
      readonly on: 'records';
      readonly how: 'remove' | 'repeat' | 'swap';
      readonly kind: RecordKind | 'any';
      readonly a: number;
      readonly b: number;
    }
  | {
      readonly on: 'field';
      readonly kind: RecordKind;
      readonly record: number;
      readonly field: number;
      readonly width: 1 | 2 | 4 | 8;
      readonly value: bigint;
    };

const place = fc.nat(2 ** 31 - 1);
const few = fc.uint8Array({ minLength: 1, maxLength: 24 });
const number = fc.oneof(fc.constantFrom(...NUMBERS), fc.bigInt(0n, 2n ** 64n - 1n), fc.bigInt(0n, 4096n));
const KINDS = ['header', 'grain', 'marker', 'table', 'directory', 'footer', 'end'] as const;

export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({
    on: fc.constant('bytes'),
    how: fc.constantFrom('flip', 'overwrite', 'insert', 'delete'),
    at: place,
    bytes: few,
  } as const),
  fc.record({
    on: fc.constant('sectors'),
    how: fc.constantFrom('insert', 'delete', 'repeat'),
    at: place,
    count: fc.integer({ min: 1, max: 9 }),
  } as const),
  fc.record({ on: fc.constant('end'), how: fc.constantFrom('truncate', 'append'), at: place, bytes: few } as const),
  fc.record({
    on: fc.constant('records'),
    how: fc.constantFrom('remove', 'repeat', 'swap'),
    kind: fc.constantFrom('any', ...KINDS),
    a: place,
    b: place,
  } as const),
  fc.record({
    on: fc.constant('field'),
    kind: fc.constantFrom(...KINDS),
    record: place,
    field: place,
    width: fc.constantFrom(1, 2, 4, 8),
    value: number,
  } as const),
);

/** The stream after all of them, those of records first. */
export function mutate(records: readonly VmdkRecord[], mutations: readonly Mutation[]): Buffer {
  let list: Editable[] = records.map(({ kind, bytes }) => ({ kind, bytes: Buffer.from(bytes) }));
  for (const one of mutations) if (one.on === 'records') list = onRecords(list, one);
  for (const one of mutations) if (one.on === 'field') onField(list, one);
  let stream: Buffer = Buffer.concat(list.map(({ bytes }) => bytes));
  for (const one of mutations) stream = onStream(stream, one);
  return stream;
}

type Editable = { kind: RecordKind; bytes: Buffer };

function onRecords(list: Editable[], one: Extract<Mutation, { on: 'records' }>): Editable[] {
  const places = list.flatMap(({ kind }, at) => (one.kind === 'any' || one.kind === kind ? [at] : []));
  const [a, b] = [places[one.a % places.length], places[one.b % places.length]];
  if (a === undefined || b === undefined) return list;
  const [first, second] = [list[a], list[b]];
  if (first === undefined || second === undefined) return list;
  const copy = [...list];
  if (one.how === 'remove') copy.splice(a, 1);
  else if (one.how === 'repeat') copy.splice(b, 0, { ...first, bytes: Buffer.from(first.bytes) });
  else [copy[a], copy[b]] = [second, first];
  return copy;
}

function onField(list: readonly Editable[], one: Extract<Mutation, { on: 'field' }>): void {
  const found = list.filter(({ kind }) => kind === one.kind);
  const bytes = found[one.record % found.length]?.bytes;
  if (bytes === undefined) return;
  const at = fieldOf(one.kind, one.field, bytes.length);
  const value = Buffer.alloc(8);
  value.writeBigUInt64LE(one.value);
  value.copy(bytes, at, 0, Math.min(one.width, bytes.length - at));
}

function fieldOf(kind: RecordKind, field: number, length: number): number {
  if (kind === 'header' || kind === 'footer') return HEADER_FIELDS[field % HEADER_FIELDS.length] ?? 0;
  if (kind === 'table' || kind === 'directory') return (field % (length / 4)) * 4;
  // A marker's number, size and type; a grain's number, size and the first bytes of its data.
  return [0, 8, 12, 14][field % 4] ?? 0;
}

function onStream(stream: Buffer, one: Mutation): Buffer {
  if (one.on === 'field' || one.on === 'records' || stream.length === 0) return stream;
  const sectors = Math.ceil(stream.length / SECTOR);
  const at = one.on === 'sectors' ? (one.at % sectors) * SECTOR : one.at % stream.length;
  if (one.on === 'sectors') {
    const length = one.count * SECTOR;
    if (one.how === 'delete') return splice(stream, at, length, Buffer.alloc(0));
    const piece = one.how === 'insert' ? Buffer.alloc(length) : stream.subarray(at, at + length);
    return splice(stream, at, 0, piece);
  }
  const bytes = Buffer.from(one.bytes);
  switch (one.how) {
    case 'truncate':
      return stream.subarray(0, at);
    case 'append':
      return Buffer.concat([stream, bytes]);
    case 'insert':
      return splice(stream, at, 0, bytes);
    case 'delete':
      return splice(stream, at, bytes.length, Buffer.alloc(0));
    case 'overwrite':
      return splice(stream, at, bytes.length, bytes);
    case 'flip':
      return splice(stream, at, 1, Buffer.from([(stream[at] ?? 0) ^ (1 << ((bytes[0] ?? 0) & 7))]));
  }
}

const splice = (stream: Buffer, at: number, remove: number, insert: Buffer): Buffer =>
  Buffer.concat([stream.subarray(0, at), insert, stream.subarray(at + remove)]);
