import { VcenterConnectionRequest } from '@hyper2kvm/contracts';
import { BaseCommand, GATEWAY_FLAGS } from '../../lib/base-command.js';
import { CONNECTION_ARG, connectionName, connectionWord } from '../../lib/connection.js';
import { UsageError } from '../../lib/errors.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { askPassword, givenPassword, VCENTER_FLAGS, vcenterRequest } from '../../lib/vcenter.js';

export default class VcenterAdd extends BaseCommand<typeof VcenterAdd> {
  static override summary = 'Store the login for a vCenter in the gateway, by a name of your own.';
  static override description =
    'Then --vcenter NAME uses it, in every command. The password is read from --password-file or VSPHERE_PASSWORD, or asked\n' +
    'for on a terminal; the gateway seals it at once and tells it nobody. An admin may do this.';
  static override examples = [
    '<%= config.bin %> vcenter add prod --vcenter vcenter.example.com --username automation@vsphere.local',
    '<%= config.bin %> vcenter add lab --vcenter lab.example.com --username root --ca-file lab-ca.pem --password-file lab.pw',
  ];
  static override args = CONNECTION_ARG;
  static override flags = { ...VCENTER_FLAGS, ...GATEWAY_FLAGS };

  protected async work(): Promise<ExitCode> {
    const name = connectionName(this.args.name);
    const vcenter = vcenterRequest(this.settings.vcenter);
    const { server, username } = vcenter;
    if (server === undefined || username === undefined)
      throw new UsageError(
        server === undefined ? 'which vCenter?' : 'which account?',
        '--vcenter HOST --username USER',
      );
    const client = this.client();
    const password =
      givenPassword(this.flags['password-file']) ??
      (await askPassword(`Password of ${username} at ${server}: `, this.isQuiet));
    if (password === undefined)
      throw new UsageError('a password is needed', 'VSPHERE_PASSWORD, --password-file, or a terminal to be asked on');
    const body = VcenterConnectionRequest.safeParse({ ...vcenter, name, password });
    if (!body.success) {
      const problems = body.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
      throw new UsageError(problems.join('; '), 'hyperctl vcenter add --help');
    }
    const added = await client.connections.add(body.data);
    if (this.isJson) this.printJson(added);
    else if (!this.isQuiet)
      this.log(
        `Stored ${connectionWord(added)}\nTry it: hyperctl vcenter test ${name}\nUse it: hyperctl convert --vcenter ${name} --vm …`,
      );
    return EXIT.ok;
  }
}
