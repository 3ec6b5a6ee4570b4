import { median } from '../export/report.js';
import type { GuestKind } from './guests.js';
import type { Way } from './job.js';
import type { Run } from './run.js';

/** What the result did on virtio alone. */
export interface Booted {
  boots: boolean;
  /** The NIC has its old name and an address. */
  network: boolean;
}

export interface Row extends Booted {
  guest: GuestKind;
  way: Way;
  /** Medians of the rounds. */
  wallSeconds: number;
  cpuSeconds: number;
  writtenBytes: number;
  /** Seconds of each step, of the first round. */
  steps: Record<string, number>;
  /** All of them, in the order of the rounds. */
  walls: number[];
}

export function rowOf(guest: GuestKind, way: Way, runs: readonly Run[], booted: Booted): Row {
  const middle = (value: (run: Run) => number): number => median(runs.map(value));
  return {
    guest,
    way,
    wallSeconds: middle((run) => run.wallSeconds),
    cpuSeconds: middle((run) => run.cpuSeconds),
    writtenBytes: middle((run) => run.writtenBytes),
    steps: runs[0]?.steps ?? {},
    ...booted,
    walls: runs.map((run) => run.wallSeconds),
  };
}

export interface Ratios {
  wall_rebuild: number;
  wall_no_rebuild: number;
}

/** Wall of ours by virt-v2v's: 0.5 is half the time. */
export function ratiosOf(rows: readonly Row[]): Ratios {
  const wall = (guest: GuestKind, way: Way): number =>
    rows.find((row) => row.guest === guest && row.way === way)?.wallSeconds ?? NaN;
  return {
    wall_rebuild: wall('rebuild', 'ours') / wall('rebuild', 'virt-v2v'),
    wall_no_rebuild: wall('no rebuild', 'ours') / wall('no rebuild', 'virt-v2v'),
  };
}

/** What is promised, and whether this run reached it. */
export function goalsOf(rows: readonly Row[], ratios: Ratios): string[] {
  const limits = { wall_rebuild: 0.6, wall_no_rebuild: 0.35 } as const;
  const walls = (['wall_rebuild', 'wall_no_rebuild'] as const).map((name) => {
    const reached = ratios[name] <= limits[name];
    return `${name}: ${ratios[name].toFixed(2)} (goal ≤ ${limits[name].toFixed(2)}) ${reached ? 'reached' : 'MISSED'}`;
  });
  const boots = rows.filter(({ way }) => way === 'ours').every((row) => row.boots && row.network);
  return [...walls, `ours boots, with its network: ${boots ? 'yes, reached' : 'no, MISSED'}`];
}

export function table(rows: readonly Row[]): string {
  const head = ['guest', 'way', 'wall s', 'CPU s', 'written MB', 'boots', 'network'];
  const lines = rows.map((row) => [
    row.guest,
    row.way,
    row.wallSeconds.toFixed(1),
    row.cpuSeconds.toFixed(1),
    (row.writtenBytes / 1e6).toFixed(0),
    row.boots ? 'yes' : 'no',
    row.network ? 'yes' : 'no',
  ]);
  const widths = head.map((title, column) => Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)));
  return [head, ...lines]
    .map((line) =>
      line
        .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  '),
    )
    .join('\n');
}

/** Where the time of the first round went. */
export const stepsTable = (rows: readonly Row[]): string =>
  rows
    .map(({ guest, way, steps }) => {
      const parts = Object.entries(steps).map(([name, seconds]) => `${name} ${seconds.toFixed(1)}`);
      return `${way}, ${guest}: ${parts.join(', ')}`;
    })
    .join('\n');
