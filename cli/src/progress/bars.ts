import { durationWord } from '@hyper2kvm/contracts';
import { plural, printable, rateWord, sizeWord } from '../lib/format.js';
import { fit, stringWidth, type Paint } from '../lib/width.js';
import { diskRate, totalOf } from './disks.js';
import type { DiskView, Model } from './state.js';

/** Where lines are drawn, and how. */
export interface TtyOptions {
  readonly columns: number;
  /** Lines that there is room for; any number where it is not said. */
  readonly rows?: number;
  readonly paint: Paint;
}

const WIDEST_BAR = 32;
const LEAST_BAR = 8;

/** What stands behind a bar: what gives way first on a narrow terminal comes first. */
export interface BarWords {
  readonly size: string;
  readonly rate?: number | undefined;
  readonly etaSeconds?: number | undefined;
}

/** `  [████░░░░] 45% (38.3 GB of 85.2 GB) - 120 MB/s - ETA: 6m 30s` */
export function barLine(share: number, words: BarWords, { columns, paint }: TtyOptions, before = '  '): string {
  const percent = `${Math.floor(share * 100)}%`;
  const size = words.size === '' ? '' : ` (${words.size})`;
  const speed = words.rate === undefined ? '' : ` - ${rateWord(words.rate)}`;
  const eta = words.etaSeconds === undefined ? '' : ` - ETA: ${durationWord(words.etaSeconds)}`;
  const fixed = stringWidth(before) + 3 + percent.length;
  for (const rest of [size + speed + eta, speed + eta, eta]) {
    const room = columns - fixed - rest.length;
    if (room < LEAST_BAR) continue;
    return `${before}[${barOf(share, Math.min(WIDEST_BAR, room), paint)}] ${percent}${rest}`;
  }
  return `${before}${percent}${eta}`;
}

function barOf(share: number, width: number, paint: Paint): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return paint('green', '█'.repeat(full)) + paint('dim', '░'.repeat(width - full));
}

const shareOf = (done: number, capacity: number): number => (capacity === 0 ? 1 : done / capacity);

export const downloading = (local: boolean): string => `📥 ${local ? 'Reading' : 'Downloading'}`;

const isUnderWay = ({ state }: DiskView): boolean => state === 'transferring' || state === 'verifying';

/**
 * All disks that are under way, and the whole of the export where there are several: two lines for each disk, one where the terminal
 * is too low for that, and where it is even lower the first ones and how many more there are.
 */
export function exportLines(model: Model, options: TtyOptions): string[] {
  const moving = model.disks.filter(isUnderWay);
  if (moving.length === 0) return [];
  const total = model.disks.length > 1 ? totalLines(model, options) : [];
  const room = (options.rows ?? Number.POSITIVE_INFINITY) - total.length;
  if (moving.length * 2 <= room) return [...moving.flatMap((disk) => twoLines(disk, model, options)), ...total];
  if (room < 1) return total;
  const shown = moving.length <= room ? moving.length : Math.max(0, room - 1);
  const hidden = moving.length - shown;
  return [
    ...moving.slice(0, shown).map((disk) => oneLine(disk, model, options)),
    ...(hidden === 0
      ? []
      : [options.paint('dim', `  ${shown === 0 ? '' : 'and '}${plural(hidden, 'disk')} under way`)]),
    ...total,
  ];
}

function wordsOf(disk: DiskView): BarWords {
  const rate = disk.state === 'verifying' ? undefined : diskRate(disk);
  const etaSeconds = rate === undefined ? undefined : (disk.capacity_bytes - disk.done_bytes) / rate;
  return { size: `${sizeWord(disk.done_bytes)} of ${sizeWord(disk.capacity_bytes)}`, rate, etaSeconds };
}

function twoLines(disk: DiskView, model: Model, options: TtyOptions): string[] {
  const verb = disk.state === 'verifying' ? '🔎 Verifying' : downloading(model.origin.local);
  return [
    `  ${verb} disk ${disk.index}/${model.disks.length}: ${printable(disk.name)}`,
    barLine(shareOf(disk.done_bytes, disk.capacity_bytes), wordsOf(disk), options),
  ];
}

/** `  3/12 data.vmdk [████░░░░] 45% - 120 MB/s - ETA: 3m 10s` */
function oneLine(disk: DiskView, model: Model, options: TtyOptions): string {
  const name = fit(printable(disk.name), Math.max(8, Math.floor(options.columns / 3) - 10));
  const before = `  ${disk.index}/${model.disks.length} ${name} `;
  return barLine(shareOf(disk.done_bytes, disk.capacity_bytes), { ...wordsOf(disk), size: '' }, options, before);
}

function totalLines(model: Model, options: TtyOptions): string[] {
  const { doneBytes, capacityBytes, bytesPerSecond: rate, etaSeconds } = totalOf(model.disks);
  const done = model.disks.filter(({ state }) => state === 'done').length;
  const waiting = model.disks.filter(({ state }) => state === 'waiting').length;
  const counts = [
    `${done} of ${plural(model.disks.length, 'disk')} done`,
    ...(waiting === 0 ? [] : [`${waiting} waiting`]),
  ].join(', ');
  const size = `${sizeWord(doneBytes)} of ${sizeWord(capacityBytes)}`;
  const percent = `${Math.floor(shareOf(doneBytes, capacityBytes) * 100)}%`;
  const speed = rate === undefined ? '' : ` - ${rateWord(rate)}`;
  const eta = etaSeconds === undefined ? '' : ` - ETA: ${durationWord(etaSeconds)}`;
  const words = [
    `${percent} (${size})${speed}${eta} - ${counts}`,
    `${percent} (${size})${speed}${eta}`,
    `${percent}${speed}${eta}`,
  ];
  const line = words.find((text) => text.length + 9 <= options.columns) ?? `${percent}${eta}`;
  return [options.paint('bold', `  Total: ${line}`)];
}
