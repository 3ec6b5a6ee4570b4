import { durationWord } from '@hyper2kvm/contracts';
import { plural, printable, rateWord, sizeWord } from '../lib/format.js';
import { fit, pad, stringWidth, type Paint } from '../lib/width.js';
import { diskRate, isUnderWay, totalOf } from './disks.js';
import type { DiskView, Model } from './state.js';

/** Where lines are drawn, and how. */
export interface TtyOptions {
  readonly columns: number;
  /** Lines that there is room for; any number where it is not said. */
  readonly rows?: number;
  readonly paint: Paint;
  /** Nothing turns any more. */
  readonly still?: boolean;
}

const WIDEST_BAR = 32;
const LEAST_BAR = 8;

/** What stands behind a bar: what gives way first on a narrow terminal comes first. */
export interface BarWords {
  readonly size: string;
  readonly rate?: number | undefined;
  readonly etaSeconds?: number | undefined;
}

export interface Bar {
  /** What stands before it; blanks unless told. */
  readonly before?: string;
  readonly share: number;
  readonly words: BarWords;
}

/** `  [████░░░░] 45% (38.3 GB of 85.2 GB) - 120 MB/s - ETA: 6m 30s` for each; all of them are equally wide and say the same. */
export function barLines(bars: readonly Bar[], { columns, paint }: TtyOptions): string[] {
  const percents = bars.map(({ share }) => `${Math.floor(share * 100)}%`);
  const widest = Math.max(...percents.map((text) => text.length));
  const lines = bars.map(({ before = '  ', share, words }, index) => {
    const size = words.size === '' ? '' : ` (${words.size})`;
    const speed = words.rate === undefined ? '' : ` - ${rateWord(words.rate)}`;
    const eta = words.etaSeconds === undefined ? '' : ` - ETA: ${durationWord(words.etaSeconds)}`;
    const percent = (percents[index] ?? '').padStart(widest);
    return { before, share, percent, ends: [size + speed + eta, speed + eta, eta, ''] };
  });
  for (let level = 0; level < 4; level += 1) {
    const rooms = lines.map(
      (line) => columns - stringWidth(line.before) - 3 - widest - (line.ends[level] ?? '').length,
    );
    const room = Math.min(WIDEST_BAR, ...rooms);
    if (room < LEAST_BAR) continue;
    return lines.map(({ before, share, percent, ends }) => {
      return `${before}[${barOf(share, room, paint)}] ${percent}${ends[level] ?? ''}`;
    });
  }
  return lines.map(({ before, percent, ends }) => `${before}${percent}${ends[2] ?? ''}`);
}

export const barLine = (share: number, words: BarWords, options: TtyOptions): string =>
  barLines([{ share, words }], options).join('');

function barOf(share: number, width: number, paint: Paint): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return paint('green', '█'.repeat(full)) + paint('dim', '░'.repeat(width - full));
}

const shareOf = (done: number, capacity: number): number => (capacity === 0 ? 1 : done / capacity);

export const downloading = (local: boolean): string => `📥 ${local ? 'Reading' : 'Downloading'}`;

/**
 * All disks that are under way, and the whole of the export where there are several: two lines for each disk, one where the terminal
 * is too low for that, and where it is even lower the first ones and how many more there are.
 */
export function exportLines(model: Model, options: TtyOptions): string[] {
  const moving = model.disks.filter(isUnderWay);
  if (moving.length === 0) return [];
  const total = model.disks.length > 1 ? totalLines(model, options) : [];
  const room = (options.rows ?? Number.POSITIVE_INFINITY) - total.length;
  if (moving.length * 2 <= room) return [...twoLinesEach(moving, model, options), ...total];
  if (room < 1) return total;
  const shown = moving.length <= room ? moving.length : Math.max(0, room - 1);
  const hidden = moving.length - shown;
  return [
    ...oneLineEach(moving.slice(0, shown), model, options),
    ...(hidden === 0
      ? []
      : [
          options.paint(
            'dim',
            shown === 0 ? `  ${plural(hidden, 'disk')} under way` : `  and ${hidden} more under way`,
          ),
        ]),
    ...total,
  ];
}

function wordsOf(disk: DiskView): BarWords {
  const rate = disk.state === 'verifying' ? undefined : diskRate(disk);
  const etaSeconds = rate === undefined ? undefined : (disk.capacity_bytes - disk.done_bytes) / rate;
  return { size: `${sizeWord(disk.done_bytes)} of ${sizeWord(disk.capacity_bytes)}`, rate, etaSeconds };
}

const shareOfDisk = (disk: DiskView): number => shareOf(disk.done_bytes, disk.capacity_bytes);

function twoLinesEach(disks: readonly DiskView[], model: Model, options: TtyOptions): string[] {
  const bars = barLines(
    disks.map((disk) => ({ share: shareOfDisk(disk), words: wordsOf(disk) })),
    options,
  );
  return disks.flatMap((disk, index) => {
    const verb = disk.state === 'verifying' ? '🔎 Verifying' : downloading(model.origin.local);
    return [`  ${verb} disk ${disk.index}/${model.disks.length}: ${printable(disk.name)}`, bars[index] ?? ''];
  });
}

/** `  3/12 data.vmdk [████░░░░] 45% - 120 MB/s - ETA: 3m 10s` */
function oneLineEach(disks: readonly DiskView[], model: Model, options: TtyOptions): string[] {
  if (disks.length === 0) return [];
  const longest = Math.max(8, Math.floor(options.columns / 3) - 10);
  const names = disks.map((disk) => `${disk.index}/${model.disks.length} ${fit(printable(disk.name), longest)}`);
  const width = Math.max(...names.map((name) => stringWidth(name)));
  const bars = disks.map((disk, index) => ({
    before: `  ${pad(names[index] ?? '', width)} `,
    share: shareOfDisk(disk),
    words: { ...wordsOf(disk), size: '' },
  }));
  return barLines(bars, options);
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
    `${percent}${speed}${eta} - ${counts}`,
    `${percent} (${size})${speed}${eta}`,
    `${percent}${speed}${eta}`,
  ];
  const line = words.find((text) => text.length + 9 <= options.columns) ?? `${percent}${eta}`;
  return [options.paint('bold', `  Total: ${line}`)];
}
