import { JobError } from '@hyper2kvm/contracts';

/** What needs no quoting in guestfish's list syntax: enough for every command that a step runs. */
const PLAIN = /^[A-Za-z0-9_./=:@,+%-][A-Za-z0-9_./=:@,+%~-]*$/;

/**
 * An argv for guestfish's `command`, which takes it as one argument split at blanks.
 * @throws JobError for anything but plain words: names come from hostile guests, and guestfish's quoting is its own
 */
export function quoteList(argv: readonly string[]): string {
  const odd = argv.find((word) => !PLAIN.test(word));
  if (odd !== undefined) {
    throw new JobError(
      'GUEST_UNSUPPORTED',
      `the guest has a name that no command can be given safely: ${JSON.stringify(odd)}`,
    );
  }
  return argv.join(' ');
}
