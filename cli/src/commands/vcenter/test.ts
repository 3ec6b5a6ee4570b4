import type { VcenterTest as Result } from '@hyper2kvm/contracts';
import { BaseCommand, GATEWAY_FLAGS } from '../../lib/base-command.js';
import { CONNECTION_ARG, connectionName, ofConnection } from '../../lib/connection.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { printable } from '../../lib/format.js';
import { withSpinner } from '../../lib/spinner.js';
import { painter, type Paint } from '../../lib/width.js';

export default class VcenterTest extends BaseCommand<typeof VcenterTest> {
  static override summary = 'Log in with a stored vCenter connection, and say which privileges are missing.';
  static override description =
    'Exit codes: 0 every privilege that a migration needs is held, 1 one is missing, 5 the login was refused.';
  static override examples = ['<%= config.bin %> vcenter test prod', '<%= config.bin %> vcenter test prod --json'];
  static override args = CONNECTION_ARG;
  static override flags = { ...GATEWAY_FLAGS };

  protected async work(): Promise<ExitCode> {
    const name = connectionName(this.args.name);
    const client = this.client();
    const result = await withSpinner(
      process.stdout,
      !this.showsProgress,
      () => `Asking vCenter about ${name}`,
      () => ofConnection(client, name, () => client.connections.test(name)),
    );
    if (this.isJson) this.printJson(result);
    else if (!this.isQuiet) this.log(testLines(result, painter(this.settings.colorOn(process.stdout))).join('\n'));
    else if (!result.ok) this.logToStderr(`Error: missing privileges: ${result.missing.join(', ')}`);
    return result.ok ? EXIT.ok : EXIT.failed;
  }
}

function testLines({ product, api_version: api, privileges, unchecked, ok, missing }: Result, paint: Paint): string[] {
  const lacking = privileges.filter(({ held }) => !held);
  const list = (required: boolean): string[] =>
    lacking
      .filter((one) => one.required === required)
      .map(({ privilege, needed_for: why }) => `  ${required ? '❌' : '⚠️ '} ${privilege}: ${printable(why)}`);
  const verdict = ok
    ? paint('green', `✅ Every privilege that a migration needs is held`)
    : paint('red', `❌ ${missing.length} privileges are missing that a migration needs:`);
  return [
    `✅ Logged in: ${printable(product)} (API ${printable(api)})`,
    ...(unchecked === undefined
      ? [verdict, ...list(true)]
      : [paint('yellow', `⚠️  The privileges could not be asked for: ${printable(unchecked)}`)]),
    ...(list(false).length === 0 ? [] : ['Not held, and of use now and then:', ...list(false)]),
    ...(ok ? [] : ['The role that is needed: docs/vcenter-privileges.md']),
  ];
}
