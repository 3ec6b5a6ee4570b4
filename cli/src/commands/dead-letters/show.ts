import { Args } from '@oclif/core';
import { BaseCommand, GATEWAY_FLAGS } from '../../lib/base-command.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { letterId, letterLines } from '../../lib/operations/letters.js';

export default class DeadLettersShow extends BaseCommand<typeof DeadLettersShow> {
  static override summary = 'Show a dead letter with its headers and its body, without secrets.';
  static override description =
    'What is secret in it (keys, passwords, addresses of receivers behind ?) is left out. Send it again: hyperctl dead-letters resend ID.';
  static override examples = [
    '<%= config.bin %> dead-letters show 17',
    '<%= config.bin %> dead-letters show 17 --json',
  ];
  static override args = { id: Args.string({ description: 'Its id, a number.', ignoreStdin: true }) };
  static override flags = { ...GATEWAY_FLAGS };

  protected async work(): Promise<ExitCode> {
    const letter = await this.client().operations.deadLetter(letterId(this.args.id));
    if (this.isJson) this.printJson(letter);
    else if (!this.isQuiet) this.log(letterLines(letter, this.columns).join('\n'));
    return EXIT.ok;
  }
}
