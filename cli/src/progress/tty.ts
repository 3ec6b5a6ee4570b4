import { durationWord, type JobDetail } from '@hyper2kvm/contracts';
import { plural, printable, sizeWord } from '../lib/format.js';
import { spanWord } from '../lib/when.js';
import { fit, type Paint } from '../lib/width.js';
import { barLine, downloading, exportLines, type TtyOptions } from './bars.js';
import { notCleaned } from './cleanup.js';
import type { Happened, Model } from './state.js';
import { STEP_TEXT } from './steps.js';

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const SPINNER_MS = 100;

/** Lines for what happened: printed once, they scroll away above the moving part; long ones wrap. */
export function happenedLines(model: Model, options: TtyOptions): string[] {
  return model.happened.flatMap(({ what }) => happenedText(what, options));
}

/** The moving part: bars, queue position, the step that runs. `now` in ms since 1970. */
export function liveLines(model: Model, now: number, options: TtyOptions): string[] {
  const { paint } = options;
  const spin = SPINNER[Math.floor(now / SPINNER_MS) % SPINNER.length] ?? '';
  const lines: string[] = [];
  switch (model.stage) {
    case 'waiting for export':
    case 'waiting for conversion':
      lines.push(waitingLine(model, now, spin));
      break;
    case 'exporting': {
      const preparing = model.origin.local ? 'Checking the files' : 'Preparing the export: snapshot and lease';
      const bars = exportLines(model, {
        ...options,
        rows: (options.rows ?? Number.POSITIVE_INFINITY) - (model.lost ? 1 : 0),
      });
      lines.push(...(bars.length === 0 ? [`  ${spin} ${preparing}...`] : bars));
      break;
    }
    case 'converting':
      lines.push(...conversionLines(model, now, spin, options));
      break;
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

function waitingLine(model: Model, now: number, spin: string): string {
  const { job, queuePosition: position } = model;
  if (job?.next_retry_at != null) {
    const seconds = Math.max(0, (Date.parse(job.next_retry_at) - now) / 1000);
    return `  ${spin} Next attempt in ${durationWord(seconds)}`;
  }
  const start = startWord(job, now);
  if (job?.waiting_reason != null) return `  ⏳ ${printable(job.waiting_reason)}${start} ${spin}`;
  const queue = model.stage === 'waiting for export' ? 'export' : 'conversion';
  if (model.saidPosition === null)
    return `  ⏳ Waiting in ${queue} queue${position === null ? '' : ` (position: ${position})`}${start} ${spin}`;
  // Where the line above says the position, it is not said twice.
  if (isTold(position, model)) return `     ${spin}${start.replace(/^, s/, ' S')}`;
  return `  ⏳ Queue position: ${position ?? 'unknown'}${start} ${spin}`;
}

/** The step that runs, and how far the whole conversion is. */
function conversionLines(model: Model, now: number, spin: string, options: TtyOptions): string[] {
  const { step, steps, behind } = model;
  if (step === null) return [`  ${spin} Starting the conversion...`];
  const { icon, doing } = STEP_TEXT[step.name];
  const seconds = options.paint('dim', ` ${durationWord(Math.max(0, now - behind - step.since) / 1000)}`);
  const line = `  ${icon} ${doing}... ${spin}${seconds}`;
  if (steps === null || steps.total === 0 || (options.rows ?? Number.POSITIVE_INFINITY) < 2) return [line];
  const size = `step ${Math.min(steps.done + 1, steps.total)} of ${steps.total}`;
  return [line, barLine(steps.percent / 100, { size }, options)];
}

/** Of the whole disk. */
const meanRate = ({ disk, seconds }: Happened & { kind: 'disk' }): number | undefined =>
  seconds === null || seconds === 0 ? undefined : disk.capacity_bytes / seconds;

/** The scrolled part shows the first position of a queue, and the last. */
const isTold = (position: number | null, { saidPosition, firstPosition }: Model): boolean =>
  position === saidPosition && (position === 1 || position === firstPosition);

const took = (seconds: number | null): string => (seconds === null ? '' : ` (${durationWord(seconds)})`);

/** What the design's example gives a picture of gets it; the rest stays in the background. */
function infoText(message: string, paint: Paint): string {
  if (message.startsWith('Detected:')) return `  🔍 ${message}`;
  return /^File ?systems?:/.test(message) ? `  🧬 ${message}` : paint('dim', `     ${message}`);
}

function happenedText(what: Happened, options: TtyOptions): string[] {
  const { paint } = options;
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
      // Those in between are seen in the moving part.
      if (what.first) return [`  ⏳ Waiting in ${what.queue} queue (position: ${what.position})`];
      return what.position === 1 ? ['  ⏳ Queue position: 1'] : [];
    case 'held':
      // The moving part shows it, newest alone.
      return [];
    case 'export started':
      return [];
    case 'disk':
      return [
        ...(what.first ? [] : ['']),
        `  ${downloading(what.local)} disk ${what.disk.index}/${what.total}: ${printable(what.disk.name)}`,
        barLine(1, { size: sizeWord(what.disk.capacity_bytes), rate: meanRate(what) }, options),
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
