import type { Way } from './job.js';

export interface Row {
  name: string;
  way: Way;
  disks: number;
  /** Medians of the rounds. */
  wallSeconds: number;
  /** Of these, for bringing the images to the disk at the end. */
  syncSeconds: number;
  cpuSeconds: number;
  writtenBytes: number;
  allocatedBytes: number;
  /** The largest of the rounds. */
  peakRssBytes: number;
  /** All of them, in the order of the rounds. */
  walls: number[];
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

/** Wall of ours by the best peer's: 0.5 is half the time. `decode` is throughput: 1.5 is half as much again. */
export function ratiosOf(rows: readonly Row[]): Record<string, number> {
  const wall = (matches: (row: Row) => boolean): number =>
    Math.min(...rows.filter(matches).map(({ wallSeconds }) => wallSeconds));
  const ratios: Record<string, number> = {};
  for (const [disks, name] of [
    [1, 'wall_1_disk'],
    [3, 'wall_3_disks'],
  ] as const) {
    const peer = wall((row) => row.disks === disks && (row.way.kind === 'curl' || row.way.kind === 'govc'));
    for (const readBack of [false, true])
      for (const transport of ['nfc', 'datastore'] as const) {
        const ours = wall(
          ({ way, disks: count }) =>
            count === disks && way.kind === 'ours' && way.transport === transport && way.readBack === readBack,
        );
        // The peers take the export stream; so does the ratio that they are compared by.
        const suffix = `${readBack ? '_verified' : ''}${transport === 'datastore' ? '_datastore' : ''}`;
        ratios[`${name}${suffix}`] = ours / peer;
      }
  }
  ratios.decode = wall(({ way }) => way.kind === 'qemu-img') / wall(({ way }) => way.kind === 'decoder');
  return ratios;
}

interface Goal {
  what: string;
  is: number;
  limit: number;
  atLeast?: boolean;
}

/** The figures that are promised, and whether this run reached them. */
export function goalsOf(rows: readonly Row[], ratios: Readonly<Record<string, number>>): string[] {
  const ours = rows.filter(({ way }) => way.kind === 'ours');
  const goals: Goal[] = [
    { what: 'wall_1_disk', is: ratios.wall_1_disk ?? NaN, limit: 0.45 },
    { what: 'wall_3_disks', is: ratios.wall_3_disks ?? NaN, limit: 0.5 },
    { what: 'wall_1_disk_verified', is: ratios.wall_1_disk_verified ?? NaN, limit: 0.45 * 1.3 },
    { what: 'wall_3_disks_verified', is: ratios.wall_3_disks_verified ?? NaN, limit: 0.5 * 1.3 },
    { what: 'decode', is: ratios.decode ?? NaN, limit: 1.5, atLeast: true },
    {
      what: 'bytes written by allocated ones, at most',
      is: Math.max(...ours.map(({ writtenBytes, allocatedBytes }) => writtenBytes / allocatedBytes)),
      limit: 1.05,
    },
    { what: 'peak RSS in MB, at most', is: Math.max(...ours.map((row) => row.peakRssBytes)) / 1e6, limit: 300 },
  ];
  return goals.map(({ what, is, limit, atLeast = false }) => {
    const reached = atLeast ? is >= limit : is <= limit;
    return `${what}: ${format(is)} (goal ${atLeast ? '≥' : '≤'} ${format(limit)}) ${reached ? 'reached' : 'MISSED'}`;
  });
}

const format = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(2));

export function table(rows: readonly Row[]): string {
  const head = ['way', 'disks', 'wall s', 'of it sync', 'CPU s', 'peak RSS MB', 'written MB', 'written/allocated'];
  const lines = rows.map((row) => [
    row.name,
    String(row.disks),
    row.wallSeconds.toFixed(2),
    row.syncSeconds.toFixed(2),
    row.cpuSeconds.toFixed(2),
    (row.peakRssBytes / 1e6).toFixed(0),
    (row.writtenBytes / 1e6).toFixed(0),
    (row.writtenBytes / row.allocatedBytes).toFixed(2),
  ]);
  const widths = head.map((title, column) => Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)));
  return [head, ...lines]
    .map((line) =>
      line
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  '),
    )
    .join('\n');
}
