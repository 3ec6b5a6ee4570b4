import { VcenterConnectionUpdate, type VcenterConnection } from '@hyper2kvm/contracts';
import { Flags } from '@oclif/core';
import { BaseCommand, GATEWAY_FLAGS } from '../../lib/base-command.js';
import { CONNECTION_ARG, connectionName, connectionWord, ofConnection } from '../../lib/connection.js';
import { UsageError } from '../../lib/errors.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { given } from '../../lib/given.js';
import { settings } from '../../lib/settings.js';
import { askPassword, givenPassword, VCENTER_FLAGS, vcenterRequest } from '../../lib/vcenter.js';

export default class VcenterUpdate extends BaseCommand<typeof VcenterUpdate> {
  static override summary = 'Change a stored vCenter connection; what is not said stays.';
  static override description =
    'Jobs that wait use the new login when their turn comes. For a new password give --password: it is read from\n' +
    '--password-file or VSPHERE_PASSWORD, or asked for on a terminal. Without it the one that is stored stays.';
  static override examples = [
    '<%= config.bin %> vcenter update prod --password',
    '<%= config.bin %> vcenter update prod --username migration@vsphere.local --password-file prod.pw',
    '<%= config.bin %> vcenter update lab --ca-file lab-ca.pem',
  ];
  static override args = CONNECTION_ARG;
  static override flags = {
    ...VCENTER_FLAGS,
    password: Flags.boolean({ helpGroup: 'VCENTER', description: 'There is a new password.' }),
    ...GATEWAY_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    const name = connectionName(this.args.name);
    // Only what the command line says: nobody wants the environment to change a stored login.
    const said = vcenterRequest(settings(this.flags).vcenter);
    const file = this.flags['password-file'];
    const renewed = this.flags.password || file !== undefined;
    if (Object.keys(said).length === 0 && !renewed)
      throw new UsageError('what is to change?', 'hyperctl vcenter update --help');
    const client = this.client();
    const now = await ofConnection(client, name, () => client.connections.one(name));
    const password = renewed
      ? (givenPassword(file) ?? (await askPassword(`New password for ${connectionWord(now)}: `, this.isQuiet)))
      : undefined;
    if (renewed && password === undefined)
      throw new UsageError('a password is needed', 'VSPHERE_PASSWORD, --password-file, or a terminal to be asked on');
    const body = VcenterConnectionUpdate.safeParse({ ...kept(now, said), ...said, ...given('password', password) });
    if (!body.success) {
      const problems = body.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
      throw new UsageError(problems.join('; '), 'hyperctl vcenter update --help');
    }
    const updated = await client.connections.update(name, body.data);
    if (this.isJson) this.printJson(updated);
    else if (!this.isQuiet) this.log(`Changed ${connectionWord(updated)}`);
    return EXIT.ok;
  }
}

type Said = ReturnType<typeof vcenterRequest>;

/** What stays. */
function kept(now: VcenterConnection, said: Said): Omit<VcenterConnectionUpdate, 'password'> {
  const trusted = said.ca_pem !== undefined || said.thumbprint !== undefined || said.insecure !== undefined;
  return {
    server: now.server,
    username: now.username,
    ...given('datacenter', now.datacenter ?? undefined),
    ...(trusted ? {} : { keep_trust: true }),
  };
}
