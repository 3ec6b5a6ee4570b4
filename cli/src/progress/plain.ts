import { durationWord } from '@hyper2kvm/contracts';
import { plural, printable, rateWord, sizeWord } from '../lib/format.js';
import { diskRate } from './disks.js';
import { notCleaned } from './cleanup.js';
import type { Happened, Model } from './state.js';
import { STEP_TEXT } from './steps.js';

/** A disk that is under way is worth a line this often. */
const DISK_LINE_MS = 5_000;

/** What was said so far; a new one starts as PLAIN_START. */
export interface PlainState {
  /** When each disk (by index) last had a line. */
  readonly diskLines: Readonly<Record<number, number>>;
}
export const PLAIN_START: PlainState = { diskLines: {} };

/** Lines for what happened and for disks whose time has come, and the state to pass next time. `now` in ms since 1970. */
export function plainLines(model: Model, state: PlainState, now: number): { lines: string[]; state: PlainState } {
  const lines = model.happened.flatMap(({ at, what }) => plainText(what).map((text) => `${stamp(at)} ${text}`));
  const diskLines = { ...state.diskLines };
  for (const disk of model.stage === 'exporting' ? model.disks : []) {
    if (disk.state !== 'transferring' && disk.state !== 'verifying') continue;
    const last = diskLines[disk.index];
    if (last !== undefined && now - last < DISK_LINE_MS) continue;
    diskLines[disk.index] = now;
    const percent = disk.capacity_bytes === 0 ? 100 : Math.floor((disk.done_bytes / disk.capacity_bytes) * 100);
    const rate = diskRate(disk);
    const eta = rate === undefined ? '' : `, ETA ${durationWord((disk.capacity_bytes - disk.done_bytes) / rate)}`;
    const speed = rate === undefined ? '' : `, ${rateWord(rate)}`;
    const verb = disk.state === 'verifying' ? 'verifying ' : '';
    lines.push(
      `${stamp(now)} ${verb}disk ${disk.index}/${model.disks.length} ${printable(disk.name)}: ${percent}% of ${sizeWord(disk.capacity_bytes)}${speed}${eta}`,
    );
  }
  return { lines, state: { diskLines } };
}

const stamp = (at: number): string => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
const took = (seconds: number | null): string => (seconds === null ? '' : ` (${durationWord(seconds)})`);

function plainText(what: Happened): string[] {
  switch (what.kind) {
    case 'started':
      return [`${what.exportOnly ? 'Export' : 'Conversion'} of ${printable(what.vm)}, job ${what.jobId}`];
    case 'connected':
      return [
        what.origin.local
          ? `Files can be read: ${printable(what.origin.label)}`
          : `Connected to ${printable(what.origin.label)}`,
      ];
    case 'found':
      return [`Found VM: ${printable(what.vm)} (${plural(what.disks, 'disk')}, ${sizeWord(what.bytes)} total)`];
    case 'phase':
      return [`Phase ${what.number}: ${what.title}`];
    case 'waiting':
      return [
        what.first
          ? `Waiting in the ${what.queue} queue (position: ${what.position})`
          : `Queue position: ${what.position}`,
      ];
    case 'held':
      return [`Waiting: ${printable(what.reason)}`];
    case 'export started':
      return ['Export started'];
    case 'disk':
      return [
        `Disk ${what.disk.index}/${what.total} ${what.local ? 'read' : 'downloaded'}: ${printable(what.disk.name)}, ${sizeWord(what.disk.capacity_bytes)}${took(what.seconds)}`,
      ];
    case 'disk stopped':
      return [
        `Stopped at ${sizeWord(what.disk.done_bytes)} of disk ${what.disk.index}/${what.total} ${printable(what.disk.name)}`,
      ];
    case 'step stopped':
      return [`Stopped: ${STEP_TEXT[what.step].doing}${took(what.seconds)}`];
    case 'exported':
      return [`Export complete: ${sizeWord(what.bytes)} ${what.local ? 'read' : 'downloaded'}${took(what.seconds)}`];
    case 'conversion started':
      return ['Conversion started'];
    case 'step':
      return [`${STEP_TEXT[what.step].done}${took(what.seconds)}`];
    case 'resumed':
      return [`${what.done} of ${plural(what.total, 'step')} already done`];
    case 'log':
      return [`${what.log.level === 'info' ? '' : `${what.log.level}: `}${printable(what.log.message)}`];
    case 'converted':
      return [`Conversion complete${took(what.seconds)}`];
    case 'cleaned':
      return ['Cleanup complete'];
    case 'not cleaned':
      return [notCleaned(what.cleanup)];
    case 'retry': {
      const why = what.failure === null ? '' : ` (${what.failure.code}: ${printable(what.failure.message)})`;
      return [`The attempt failed${why}; retry ${what.count} starts at ${what.at}`];
    }
    case 'lost':
      return ['The gateway does not answer; the job goes on without it. Trying again...'];
    case 'restored':
      return ['The gateway is back'];
  }
}
