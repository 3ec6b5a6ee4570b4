import { Flags } from '@oclif/core';
import { BaseCommand, GATEWAY_FLAGS } from '../../lib/base-command.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { letters as counted, letterTable } from '../../lib/operations/letters.js';

const DEFAULT_LIMIT = 50;

export default class DeadLettersList extends BaseCommand<typeof DeadLettersList> {
  static override summary = 'List the messages that nobody could handle, newest first.';
  static override description =
    'A message is put aside when nobody understands it, or when its work was started several times and never ended. They are\n' +
    'kept for 90 days. ABOUT is the job, batch or hook that a message speaks of.';
  static override examples = [
    '<%= config.bin %> dead-letters list',
    '<%= config.bin %> dead-letters list --limit 500 --json',
  ];
  static override flags = {
    limit: Flags.integer({ char: 'n', min: 1, default: DEFAULT_LIMIT, description: 'At most so many.' }),
    ...GATEWAY_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    const { letters, total } = await this.client().operations.deadLetters(this.flags.limit);
    if (this.isJson) this.printJson({ dead_letters: letters, total });
    else if (!this.isQuiet) {
      this.log(letters.length === 0 ? 'No dead letters.' : letterTable(letters, this.columns).join('\n'));
      if (total > letters.length) this.log(`${letters.length} of ${counted(total)}; more: --limit ${total}`);
    }
    return EXIT.ok;
  }
}
