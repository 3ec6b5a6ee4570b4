import { BaseCommand, GATEWAY_FLAGS } from '../../lib/base-command.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { table } from '../../lib/table.js';

export default class TokenList extends BaseCommand<typeof TokenList> {
  static override summary = 'List the tokens of the gateway, without their secrets.';
  static override description =
    "Names, roles, when each expires and was last used. An admin's token is needed for this.";
  static override examples = ['<%= config.bin %> token list', '<%= config.bin %> token list --json'];
  static override flags = { ...GATEWAY_FLAGS };

  protected async work(): Promise<ExitCode> {
    const tokens = await this.client().access.tokens();
    if (this.isJson) this.printJson({ tokens });
    else if (!this.isQuiet) {
      const rows = tokens.map((token) => [
        token.name,
        token.role,
        day(token.expires_at, 'never'),
        day(token.last_used_at, 'never'),
        day(token.created_at, ''),
        token.created_by,
      ]);
      const heads = ['NAME', 'ROLE', 'EXPIRES', 'LAST USED', 'CREATED', 'BY'];
      this.log(tokens.length === 0 ? 'No tokens.' : table(heads, rows, this.columns).join('\n'));
    }
    return EXIT.ok;
  }
}

const day = (time: string | null, none: string): string => time?.slice(0, 10) ?? none;
