import { durationWord } from '@hyper2kvm/contracts';
import { plural, printable, sizeWord } from '../lib/format.js';
import type { Style } from '../lib/width.js';
import { barLine, downloading, type TtyOptions } from './bars.js';
import { notCleaned } from './cleanup.js';
import { hang } from './hang.js';
import type { Happened, Model } from './state.js';
import { STEP_TEXT } from './steps.js';

/** Lines for what happened: printed once, they scroll away above the moving part. */
export function happenedLines(model: Model, options: TtyOptions): string[] {
  return model.happened
    .flatMap(({ what }) => textOf(what, options))
    .flatMap((line) => (line.startsWith(' ') && !line.includes('\u001b') ? hang(line, options.columns) : [line]));
}

/** Text behind a mark, broken between words. */
const prose = (text: string, { columns, paint }: TtyOptions, style: Style): string[] =>
  hang(text, columns).map((line) => paint(style, line));

/** A reason begins as a part of a sentence. */
export const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function titleOf({ exportOnly, joined, vm }: Happened & { kind: 'started' }): string {
  const what = exportOnly ? 'export' : 'conversion';
  return joined ? `🔭 Following the ${what} of ${printable(vm)}` : `🚀 Starting VM ${what}`;
}

/** Of the whole disk. */
const meanRate = ({ disk, seconds }: Happened & { kind: 'disk' }): number | undefined =>
  seconds === null || seconds === 0 ? undefined : disk.capacity_bytes / seconds;

const took = (seconds: number | null): string => (seconds === null ? '' : ` (${durationWord(seconds)})`);

/** What the design's example gives a picture of gets it; the rest stays in the background. */
function infoText(message: string, options: TtyOptions): string[] {
  if (message.startsWith('Detected:')) return [`  🔍 ${message}`];
  return /^File ?systems?:/.test(message) ? [`  🧬 ${message}`] : prose(`     ${message}`, options, 'dim');
}

function textOf(what: Happened, options: TtyOptions): string[] {
  const { paint } = options;
  const tick = `  ✅ `;
  switch (what.kind) {
    case 'started':
      return ['', paint('bold', titleOf(what)), `Job ID: ${what.jobId}`];
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
    case 'disk stopped': {
      const share = what.disk.capacity_bytes === 0 ? 100 : (what.disk.done_bytes / what.disk.capacity_bytes) * 100;
      const size = `${sizeWord(what.disk.done_bytes)} of ${sizeWord(what.disk.capacity_bytes)}`;
      const name = `disk ${what.disk.index}/${what.total}: ${printable(what.disk.name)}`;
      return [`  🛑 Stopped at ${Math.floor(share)}% (${size}) of ${name}`];
    }
    case 'step stopped':
      return [`  🛑 Stopped: ${STEP_TEXT[what.step].doing}${paint('dim', took(what.seconds))}`];
    case 'exported':
      return [`${tick}Export complete${took(what.seconds)}`];
    case 'conversion started':
      return ['  ▶️  Conversion started'];
    case 'step':
      return [`${tick}${STEP_TEXT[what.step].done}${paint('dim', took(what.seconds))}`];
    case 'resumed':
      return [`${tick}${what.done} of ${plural(what.total, 'step')} already done`];
    case 'log':
      if (what.log.level === 'info') return infoText(printable(what.log.message), options);
      return what.log.level === 'error'
        ? prose(`  ❌ ${printable(what.log.message)}`, options, 'red')
        : prose(`  ⚠️  ${printable(what.log.message)}`, options, 'yellow');
    case 'converted':
      return [`${tick}Conversion complete${took(what.seconds)}`];
    case 'cleaned':
      return [`${tick}Cleanup complete`];
    case 'not cleaned':
      return prose(`  ⚠️  ${notCleaned(what.cleanup)}`, options, 'yellow');
    case 'retry': {
      const why = what.failure === null ? '' : `: ${printable(what.failure.message)}`;
      return [
        ...prose(`  ⚠️  The attempt failed${why}`, options, 'yellow'),
        `  🔁 Retry ${what.count} starts at ${what.at.replace(/\.\d+Z$/, 'Z')}`,
      ];
    }
    case 'lost':
      return [];
    case 'restored':
      return [`${tick}The gateway is back`];
  }
}
