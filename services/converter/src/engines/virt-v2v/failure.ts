import { JobError, type ErrorCode } from '@hyper2kvm/contracts';
import type { Said } from './output.js';

/** Errors of virt-v2v that say what a person can do; the others are what they are. */
const KNOWN: readonly (readonly [RegExp, ErrorCode])[] = [
  [/mounted read-only, even though|Windows Hibernation/, 'GUEST_HIBERNATED'],
  [/rhsrvany\.exe or pvvxsvc\.exe is missing/, 'GUEST_UNSUPPORTED'],
  [/insufficient free space in the conversion server/, 'DISK_FULL'],
  [/not enough (free space|available inodes)/, 'GUEST_UNSUPPORTED'],
  [/unable to convert this guest type/, 'GUEST_UNSUPPORTED'],
  [/virtio-win/, 'DRIVERS_MISSING'],
];

/** @param rest the last lines that it wrote besides */
export function failure(code: number | null, said: readonly Said[], rest: readonly string[]): JobError {
  if (code === 127) {
    return new JobError('CONVERSION_STEP', 'virt-v2v-in-place could not be started: is virt-v2v installed?');
  }
  const words = said.findLast(({ type }) => type === 'error')?.text ?? lastWords(rest);
  const known = KNOWN.find(([text]) => text.test(words))?.[1] ?? 'CONVERSION_STEP';
  return new JobError(known, `virt-v2v: ${words === '' ? `ended with ${code ?? 'a signal'}` : words}`);
}

/** Its own error line, without the hints that follow it. */
function lastWords(lines: readonly string[]): string {
  const error = lines.findLast((line) => /^virt-v2v(-in-place)?: error: /.test(line));
  return error?.replace(/^virt-v2v(-in-place)?: error: /, '') ?? lines.at(-1) ?? '';
}
