import { Args, Flags } from '@oclif/core';
import { ROLES, TokenRequest } from '@hyper2kvm/contracts';
import { BaseCommand, GATEWAY_FLAGS } from '../../lib/base-command.js';
import { UsageError } from '../../lib/errors.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { given } from '../../lib/given.js';
import { fullTime, parseDays } from '../../lib/when.js';

export default class TokenCreate extends BaseCommand<typeof TokenCreate> {
  static override summary = 'Make a token for the gateway. It is shown once.';
  static override description =
    'viewer: sees everything; operator: moves VMs; admin: tokens, vCenter connections, audit, retention too.\n' +
    "The name stands as requested_by in jobs, and in the audit. With --quiet the token alone is printed. An admin's token\n" +
    'is needed for this; the first one stands in the configuration (gateway.api.auth.token).';
  static override examples = [
    '<%= config.bin %> token create ann --role operator',
    '<%= config.bin %> token create ci --role operator --expires 90d --quiet',
  ];
  static override args = { name: Args.string({ description: 'Whose token it is.', ignoreStdin: true }) };
  static override flags = {
    role: Flags.option({ options: ROLES, required: true })({ description: 'What it may do.' }),
    expires: Flags.string({ helpValue: 'DAYS', description: 'Days until it expires: 90d, 12w [default: never].' }),
    ...GATEWAY_FLAGS,
    quiet: Flags.boolean({ char: 'q', description: 'Print the token alone.', helpGroup: 'OUTPUT' }),
  };

  protected async work(): Promise<ExitCode> {
    const { role, expires } = this.flags;
    const days = expires === undefined ? undefined : parseDays(expires, '--expires');
    const body = TokenRequest.safeParse({ name: this.args.name, role, ...given('expires_in_days', days) });
    if (!body.success) {
      const [issue] = body.error.issues;
      const what = issue?.path[0] === 'name' ? 'NAME' : '--expires';
      throw new UsageError(`${what}: ${issue?.message}`, 'hyperctl token create ann --role operator --expires 90d');
    }
    const made = await this.client().access.createToken(body.data);
    if (this.isJson) this.printJson(made);
    else if (this.flags.quiet) this.log(made.token);
    else {
      const ends =
        made.expires_at === null ? 'does not expire' : `expires: ${fullTime(new Date(made.expires_at), new Date())}`;
      this.log(
        [
          `Token of ${made.name} (${made.role}; ${ends}):`,
          '',
          `  ${made.token}`,
          '',
          'It is not shown again. To use it:',
          '  export HYPER2KVM_TOKEN=…        and hyperctl takes it',
          `  curl -H "Authorization: Bearer $HYPER2KVM_TOKEN" …/api/v1/whoami`,
          `To end it: hyperctl token revoke ${made.name}`,
        ].join('\n'),
      );
    }
    return EXIT.ok;
  }
}
