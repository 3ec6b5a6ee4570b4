import { open, readFile, type FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { CLUSTER, ClusterMap } from '../../image/index.js';
import { segmentHasher, type ContentStart, type UnitRecord } from '../content-tracker.js';
import { parseJournal, type JournalHeader } from './journal-format.js';

/** What an earlier transfer left that can be gone on from. */
export interface TakenOver {
  readonly map: ClusterMap;
  readonly start: ContentStart;
  /** Everything below is in the image. */
  readonly startAt: number;
  /** End and check of the journal's last line that counts. */
  readonly journalEnd: number;
  readonly journalCheck: string;
}

/**
 * Finds how far an unfinished image and its journal can be trusted. Undefined where nothing is worth going on from: no
 * journal, no image, another binding, or not one unit. Changes neither file.
 */
export async function takeOver(
  imagePath: string,
  journalPath: string,
  header: JournalHeader,
): Promise<TakenOver | undefined> {
  const bytes = await readFile(journalPath).catch(absent);
  const image = await open(imagePath, 'r').catch(absent);
  try {
    const parsed = bytes === undefined ? undefined : parseJournal(bytes, header);
    if (parsed === undefined || image === undefined) return undefined;
    const { size } = await image.stat();
    const fitting = parsed.records.slice(0, countFitting(parsed.records, header, size));
    const { units, hasher } = await begunSegment(image, fitting, header);
    if (units === 0) return undefined;
    const records = fitting.slice(0, units);
    return {
      map: place(records, header).map,
      start: {
        units,
        segments: records.flatMap(({ hash }) => (hash === undefined ? [] : [hash])),
        ...(hasher === undefined ? {} : { hasher }),
      },
      startAt: Math.min(units * header.unitBytes, header.capacityBytes),
      journalEnd: parsed.ends[units] ?? 0,
      journalCheck: parsed.checks[units] ?? '',
    };
  } finally {
    await image?.close();
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

/** Where the data of a unit lies in the disk and in the image. */
interface Placed {
  readonly guestCluster: number;
  readonly hostCluster: number;
}

/** Guest clusters of a unit, in order. */
function* clustersOf({ unit, clusters }: UnitRecord, unitBytes: number): Generator<number> {
  if (clusters === undefined) return;
  const first = (unit * unitBytes) / CLUSTER;
  for (let i = 0; i < clusters.length * 8; i++) if (((clusters[i >> 3] ?? 0) & (1 << (i & 7))) !== 0) yield first + i;
}

/** Places the units as the writer did. `fits` tells how many of them end where the journal says. */
function place(
  records: readonly UnitRecord[],
  { capacityBytes, unitBytes }: JournalHeader,
  from = Infinity,
): { map: ClusterMap; fits: number; placed: Placed[][] } {
  const map = new ClusterMap(capacityBytes);
  const placed: Placed[][] = [];
  for (const [index, record] of records.entries()) {
    const here: Placed[] = [];
    for (const guestCluster of clustersOf(record, unitBytes)) {
      if (guestCluster * CLUSTER >= capacityBytes) return { map, fits: index, placed };
      map.place(guestCluster);
      if (index >= from) here.push({ guestCluster, hostCluster: map.next - 1 });
    }
    if (map.next !== record.next) return { map, fits: index, placed };
    if (index >= from) placed.push(here);
  }
  return { map, fits: records.length, placed };
}

/** Units whose line agrees with the layout, and whose data the file can hold. */
function countFitting(records: readonly UnitRecord[], header: JournalHeader, fileBytes: number): number {
  const perSegment = header.segmentBytes / header.unitBytes;
  const units = Math.ceil(header.capacityBytes / header.unitBytes);
  let count = place(records.slice(0, units), header).fits;
  // A segment's hash stands with its last unit, and nowhere else.
  const astray = records
    .slice(0, count)
    .findIndex(({ hash }, unit) => (hash !== undefined) !== ((unit + 1) % perSegment === 0 || unit + 1 === units));
  if (astray >= 0) count = astray;
  while (count > 0 && neededBytes(records[count - 1]) > fileBytes) count--;
  return count;
}

/** Before the first data the file is empty. */
const neededBytes = (record: UnitRecord | undefined): number =>
  record === undefined || record.next === 1 ? 0 : record.next * CLUSTER;

/**
 * The hash of a segment that was begun is made again, from what is on the disk. Where that is not what was written, the
 * segment begins anew.
 */
async function begunSegment(
  image: FileHandle,
  records: readonly UnitRecord[],
  header: JournalHeader,
): Promise<{ units: number; hasher?: ContentStart['hasher'] }> {
  const { capacityBytes, segmentBytes, unitBytes } = header;
  const ended = records.findLastIndex(({ hash }) => hash !== undefined) + 1;
  if (ended === records.length) return { units: ended };
  const segment = (ended * unitBytes) / segmentBytes;
  const hasher = segmentHasher(segment, capacityBytes, segmentBytes);
  const { placed } = place(records, header, ended);
  for (const [index, clusters] of placed.entries()) {
    let crc = 0;
    for (const { guestCluster, hostCluster } of clusters) {
      const offset = guestCluster * CLUSTER;
      const content = Buffer.alloc(Math.min(CLUSTER, capacityBytes - offset));
      await image.read(content, 0, content.length, hostCluster * CLUSTER);
      crc = crc32(content, crc);
      hasher.data(offset - segment * segmentBytes, content);
    }
    if (crc !== records[ended + index]?.crc) return { units: ended };
  }
  return { units: records.length, hasher };
}
