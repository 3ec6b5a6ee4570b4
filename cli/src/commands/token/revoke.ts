import { Args } from '@oclif/core';
import { BaseCommand, GATEWAY_FLAGS } from '../../lib/base-command.js';
import { UsageError } from '../../lib/errors.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { orNear } from '../../lib/or-near.js';

export default class TokenRevoke extends BaseCommand<typeof TokenRevoke> {
  static override summary = 'Revoke a token: nothing can be asked with it any more, at once.';
  static override description = "Jobs that were asked for with it go on. An admin's token is needed for this.";
  static override examples = ['<%= config.bin %> token revoke ann'];
  static override args = { name: Args.string({ description: 'Name of the token.', ignoreStdin: true }) };
  static override flags = { ...GATEWAY_FLAGS };

  protected async work(): Promise<ExitCode> {
    const { name } = this.args;
    if (name === undefined || name === '') throw new UsageError('which token?', 'hyperctl token list shows them');
    const { access } = this.client();
    const token = await orNear(
      name,
      () => access.revokeToken(name),
      async () => (await access.tokens()).map((one) => one.name),
      'hyperctl token list shows them',
    );
    if (this.isJson) this.printJson(token);
    else if (!this.isQuiet) this.log(`Token ${token.name} (${token.role}) is revoked.`);
    return EXIT.ok;
  }
}
