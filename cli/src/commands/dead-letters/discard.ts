import { GATEWAY_FLAGS } from '../../lib/base-command.js';
import type { ExitCode } from '../../lib/exit-codes.js';
import { LETTERS_ARG, LETTERS_FLAGS, LettersCommand } from '../../lib/operations/letters-command.js';
import { confirm, letters } from '../../lib/operations/letters.js';

export default class DeadLettersDiscard extends LettersCommand<typeof DeadLettersDiscard> {
  static override summary = 'Delete dead letters for good. An admin may.';
  static override description =
    'Jobs stay as they are. On a terminal it asks first; elsewhere --all needs --yes.\n' +
    'Exit codes: 0 they are gone, 1 some were refused, 4 there is none of these.';
  static override examples = [
    '<%= config.bin %> dead-letters discard 17 18',
    '<%= config.bin %> dead-letters discard --all --yes',
  ];
  static override args = LETTERS_ARG;
  static override flags = { ...LETTERS_FLAGS, ...GATEWAY_FLAGS };

  protected async work(): Promise<ExitCode> {
    const client = this.client();
    const { all, yes } = this.flags;
    const ids = await this.chosen(client);
    if (ids.length > 0) await confirm(`Delete ${letters(ids.length)} for good?`, { yes, needed: all });
    return this.each(ids, 'deleted', 'discarded', async (id) => {
      await client.operations.discard(id);
      return 'deleted';
    });
  }
}
