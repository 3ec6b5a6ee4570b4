import { GATEWAY_FLAGS } from '../../lib/base-command.js';
import type { ExitCode } from '../../lib/exit-codes.js';
import { LETTERS_ARG, LETTERS_FLAGS, LettersCommand } from '../../lib/operations/letters-command.js';
import { confirm, letters } from '../../lib/operations/letters.js';

export default class DeadLettersResend extends LettersCommand<typeof DeadLettersResend> {
  static override summary = 'Have dead letters handled again: the job is tried again, or the message published again.';
  static override description =
    'Do it when what kept them from being handled is mended. One that would change nothing is refused and stays; the output\n' +
    'says why. Exit codes: 0 all were sent again, 1 some were refused, 4 there is none of these.';
  static override examples = [
    '<%= config.bin %> dead-letters resend 17',
    '<%= config.bin %> dead-letters resend --all --yes',
  ];
  static override args = LETTERS_ARG;
  static override flags = { ...LETTERS_FLAGS, ...GATEWAY_FLAGS };

  protected async work(): Promise<ExitCode> {
    const client = this.client();
    const { all, yes } = this.flags;
    const ids = await this.chosen(client);
    if (all && ids.length > 0) await confirm(`Send ${letters(ids.length)} again?`, { yes, needed: true });
    return this.each(ids, 'sent again', 'resent', async (id) => (await client.operations.resend(id)).message);
  }
}
