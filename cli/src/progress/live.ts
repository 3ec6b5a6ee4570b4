import { durationWord, type JobDetail } from '@hyper2kvm/contracts';
import { printable } from '../lib/format.js';
import { spanWord } from '../lib/when.js';
import { fit } from '../lib/width.js';
import { barLine, exportLines, type TtyOptions } from './bars.js';
import { hang } from './hang.js';
import { sentence } from './happened.js';
import type { Model } from './state.js';
import { STEP_TEXT } from './steps.js';

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const SPINNER_MS = 100;

/** The moving part: bars, queue position, the step that runs. `now` in ms since 1970. */
export function liveLines(model: Model, now: number, options: TtyOptions): string[] {
  const { paint } = options;
  const spin = options.still === true ? '' : (SPINNER[Math.floor(now / SPINNER_MS) % SPINNER.length] ?? '');
  const lines: string[] = [];
  switch (model.stage) {
    case 'waiting for export':
    case 'waiting for conversion':
      lines.push(...hang(waitingLine(model, now, spin), options.columns));
      break;
    case 'exporting': {
      const preparing = model.origin.local ? 'Checking the files' : 'Preparing the export: snapshot and lease';
      const bars = exportLines(model, {
        ...options,
        rows: (options.rows ?? Number.POSITIVE_INFINITY) - (model.lost ? 1 : 0),
      });
      lines.push(...(bars.length === 0 ? [`  📸 ${preparing}... ${spin}`] : bars));
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
  return lines.map((line) => fit(line.trimEnd(), options.columns));
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
  if (job?.waiting_reason != null) return `  ⏳ ${sentence(printable(job.waiting_reason))}${start} ${spin}`;
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

/** The scrolled part shows the first position of a queue, and the last. */
const isTold = (position: number | null, { saidPosition, firstPosition }: Model): boolean =>
  position === saidPosition && (position === 1 || position === firstPosition);
