import { durationWord, type JobDetail } from '@hyper2kvm/contracts';
import { plural, printable, rateWord, sizeWord } from '../lib/format.js';
import { spanWord } from '../lib/when.js';
import { fit, painter, type Paint } from '../lib/width.js';
import { diskRate } from './model.js';
import { notCleaned } from './cleanup.js';
import type { DiskView, Happened, Model } from './state.js';
import { STEP_TEXT } from './steps.js';

export interface TtyOptions {
  readonly columns: number;
  readonly color: boolean;
}

const WIDEST_BAR = 32;
const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const SPINNER_MS = 100;

/** Lines for what happened from number `from` on: printed once, they scroll away above the moving part; long ones wrap. */
export function happenedLines(model: Model, from: number, options: TtyOptions): string[] {
  const paint = painter(options.color);
  return model.happened.slice(from).flatMap(({ what }) => happenedText(what, paint, options));
}

/** The moving part: bars, queue position, the step that runs. `now` in ms since 1970. */
export function liveLines(model: Model, now: number, options: TtyOptions): string[] {
  const paint = painter(options.color);
  const spin = SPINNER[Math.floor(now / SPINNER_MS) % SPINNER.length] ?? '';
  const lines: string[] = [];
  switch (model.stage) {
    case 'waiting for export':
    case 'waiting for conversion': {
      const queue = model.stage === 'waiting for export' ? 'export' : 'conversion';
      if (model.job?.next_retry_at != null) {
        const seconds = Math.max(0, (Date.parse(model.job.next_retry_at) - now) / 1000);
        lines.push(`  ${spin} Next attempt in ${durationWord(seconds)}`);
      } else if (model.job?.waiting_reason != null) {
        lines.push(`  ⏳ ${printable(model.job.waiting_reason)}${startWord(model.job, now)} ${spin}`);
      } else {
        const position = model.queuePosition === null ? '' : ` (position: ${model.queuePosition})`;
        lines.push(`  ⏳ Waiting in ${queue} queue${position}${startWord(model.job, now)} ${spin}`);
      }
      break;
    }
    case 'exporting': {
      const moving = model.disks.filter(({ state }) => state === 'transferring' || state === 'verifying');
      if (moving.length === 0)
        lines.push(
          `  ${spin} ${model.origin.local ? 'Checking the files' : 'Preparing the export: snapshot and lease'}...`,
        );
      for (const disk of moving) lines.push(...diskLines(disk, model, paint, options));
      const waiting = model.disks.filter(({ state }) => state === 'waiting').length;
      if (waiting > 0 && moving.length > 0) lines.push(paint('dim', `  ${plural(waiting, 'disk')} waiting`));
      break;
    }
    case 'converting': {
      const count = model.steps === null ? '' : paint('dim', ` [${model.steps.done + 1}/${model.steps.total}]`);
      if (model.step === null) lines.push(`  ${spin} Starting the conversion...`);
      else {
        const { icon, doing } = STEP_TEXT[model.step.name];
        const seconds = paint('dim', ` ${durationWord((now - model.step.since) / 1000)}`);
        lines.push(`  ${icon} ${doing}... ${spin}${count}${seconds}`);
      }
      break;
    }
    case 'cleaning':
      lines.push(`  🧹 Removing what the export left... ${spin}`);
      break;
    case 'connecting':
    case 'ended':
      break;
  }
  if (model.lost)
    lines.push(paint('yellow', `  ⚠️  The gateway does not answer; the job goes on. Trying again ${spin}`));
  return lines.map((line) => fit(line, options.columns));
}

/** `, starts in about 12 min`; nothing where nothing is known. */
function startWord(job: JobDetail | null, now: number): string {
  if (job?.estimated_start == null) return '';
  const left = Date.parse(job.estimated_start) - now;
  return left < 1_000 ? '' : `, starts in about ${spanWord(left)}`;
}

function diskLines(disk: DiskView, model: Model, paint: Paint, options: TtyOptions): string[] {
  const verb = disk.state === 'verifying' ? '🔎 Verifying' : doing(model.origin.local);
  const share = disk.capacity_bytes === 0 ? 1 : disk.done_bytes / disk.capacity_bytes;
  const rate = diskRate(disk);
  const eta = rate === undefined ? '' : ` - ETA: ${durationWord((disk.capacity_bytes - disk.done_bytes) / rate)}`;
  const speed = rate === undefined ? '' : ` - ${rateWord(rate)}`;
  return [
    `  ${verb} disk ${disk.index}/${model.disks.length}: ${printable(disk.name)}`,
    barLine(share, [` (${sizeWord(disk.done_bytes)} of ${sizeWord(disk.capacity_bytes)})`, speed, eta], paint, options),
  ];
}

const doing = (local: boolean): string => `📥 ${local ? 'Reading' : 'Downloading'}`;

/** `  [████░░░░] 45% (38.3 GB of 85.2 GB) - 120 MB/s - ETA: 6m 30s`; a narrow terminal loses size, then rate, then the bar. */
function barLine(
  share: number,
  extras: readonly [size: string, speed: string, eta: string],
  paint: Paint,
  options: TtyOptions,
): string {
  const percent = `${Math.floor(share * 100)}%`;
  const [size, speed, eta] = extras;
  for (const rest of [size + speed + eta, speed + eta, eta]) {
    const room = options.columns - 2 - 3 - percent.length - rest.length;
    if (room < 8) continue;
    const width = Math.min(WIDEST_BAR, room);
    const full = Math.round(share * width);
    return `  [${paint('green', '█'.repeat(full))}${paint('dim', '░'.repeat(width - full))}] ${percent}${rest}`;
  }
  return `  ${percent}${eta}`;
}

const took = (seconds: number | null): string => (seconds === null ? '' : ` (${durationWord(seconds)})`);

/** What the design's example gives a picture of gets it; the rest stays in the background. */
function infoText(message: string, paint: Paint): string {
  if (message.startsWith('Detected:')) return `  🔍 ${message}`;
  return /^File ?systems?:/.test(message) ? `  🧬 ${message}` : paint('dim', `     ${message}`);
}

function happenedText(what: Happened, paint: Paint, options: TtyOptions): string[] {
  const tick = `  ✅ `;
  switch (what.kind) {
    case 'started':
      return [
        '',
        paint('bold', `🚀 Starting VM ${what.exportOnly ? 'export' : 'conversion'}`),
        `Job ID: ${what.jobId}`,
      ];
    case 'connected':
      return what.origin.local ? [] : [`${tick}Connected to ${printable(what.origin.label)}`];
    case 'found':
      return [`${tick}Found VM: ${printable(what.vm)} (${plural(what.disks, 'disk')}, ${sizeWord(what.bytes)} total)`];
    case 'phase':
      return ['', paint('bold', `Phase ${what.number}: ${what.title}`)];
    case 'waiting':
      return [`  ⏳ Waiting in ${what.queue} queue (position: ${what.position ?? 'unknown'})`];
    case 'held':
      // The moving part shows it, newest alone.
      return [];
    case 'export started':
      return [];
    case 'disk':
      return [
        `  ${doing(what.local)} disk ${what.disk.index}/${what.total}: ${printable(what.disk.name)}`,
        barLine(1, [` (${sizeWord(what.disk.capacity_bytes)})`, '', ''], paint, options),
        `${tick}Disk ${what.disk.index} ${what.local ? 'read' : 'downloaded'}${took(what.seconds)}`,
      ];
    case 'exported':
      return [`${tick}Export complete${took(what.seconds)}`];
    case 'conversion started':
      return ['  ▶️  Conversion started'];
    case 'step':
      return [`${tick}${STEP_TEXT[what.step].done}${paint('dim', took(what.seconds))}`];
    case 'resumed':
      return [`${tick}${what.done} of ${plural(what.total, 'step')} already done`];
    case 'log':
      if (what.log.level === 'info') return [infoText(printable(what.log.message), paint)];
      return [
        what.log.level === 'error'
          ? paint('red', `  ❌ ${printable(what.log.message)}`)
          : paint('yellow', `  ⚠️  ${printable(what.log.message)}`),
      ];
    case 'converted':
      return [`${tick}Conversion complete${took(what.seconds)}`];
    case 'cleaned':
      return [`${tick}Cleanup complete`];
    case 'not cleaned':
      return [paint('yellow', `  ⚠️  ${notCleaned(what.cleanup)}`)];
    case 'retry': {
      const why = what.failure === null ? '' : `: ${printable(what.failure.message)}`;
      return [paint('yellow', `  ⚠️  The attempt failed${why}`), `  🔁 Retry ${what.count} starts at ${what.at}`];
    }
    case 'lost':
      return [];
    case 'restored':
      return [`${tick}The gateway is back`];
  }
}
