import { JobError } from '@hyper2kvm/contracts';

/** What needs no quoting in guestfish's list syntax: enough for every command that a step runs. */
const PLAIN = /^[A-Za-z0-9_./=:@,+%-][A-Za-z0-9_./=:@,+%~-]*$/;

/** Whether a word can be part of a command in the guest. */
export const isPlain = (word: string): boolean => PLAIN.test(word);

/**
 * An argv for guestfish's `command`, which takes it as one argument split at blanks.
 * @throws JobError for anything but plain words: names come from hostile guests, and guestfish's quoting is its own
 */
export function quoteList(argv: readonly string[]): string {
  const odd = argv.find((word) => !isPlain(word));
  if (odd !== undefined) {
    throw new JobError(
      'GUEST_UNSUPPORTED',
      `the guest has a name that no command can be given safely: ${JSON.stringify(odd)}`,
    );
  }
  return argv.join(' ');
}
