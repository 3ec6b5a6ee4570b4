import { durationWord, SEGMENT_BYTES, type Verification, type VerifiedFile } from '@hyper2kvm/contracts';
import { plural, printable } from './format.js';
import type { Paint } from './width.js';

/** The result of a verification: first whether all is well, then a line for each file. */
export function reportLines(report: NonNullable<Verification['report']>, paint: Paint): string[] {
  const wrong = report.files.filter((file) => !isFine(file)).length;
  const took = paint('dim', ` (${durationWord(report.duration_seconds)})`);
  const title = report.identical
    ? paint('green', `✅ ${plural(report.files.length, 'file')}: all as recorded`)
    : paint('red', `❌ ${wrong} of ${plural(report.files.length, 'file')} not as recorded`);
  return [
    title + took,
    ...report.files.map((file) => `   ${isFine(file) ? '✅' : '❌'} ${printable(file.file)}: ${words(file)}`),
  ];
}

const isFine = (file: VerifiedFile): boolean => file.first_difference === null && file.problem === undefined;

function words({ segments, first_difference: first, problem }: VerifiedFile): string {
  if (problem !== undefined) return printable(problem);
  if (first === null) return `${plural(segments, 'segment')} identical`;
  const start = (first - 1) * SEGMENT_BYTES;
  // The last segment may be shorter than the others.
  const end = first >= segments ? 'the end' : String(first * SEGMENT_BYTES - 1);
  return `differs first in segment ${first} of ${segments}: bytes ${start} to ${end} of the disk`;
}
