import { BaseCommand, GATEWAY_FLAGS } from '../../lib/base-command.js';
import { CONNECTION_ARG, connectionName, ofConnection } from '../../lib/connection.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';

export default class VcenterRemove extends BaseCommand<typeof VcenterRemove> {
  static override summary = 'Forget a vCenter connection that no waiting job uses.';
  static override description = 'Its password is forgotten, too. Jobs that run keep their session.';
  static override examples = ['<%= config.bin %> vcenter remove lab'];
  static override args = CONNECTION_ARG;
  static override flags = { ...GATEWAY_FLAGS };

  protected async work(): Promise<ExitCode> {
    const name = connectionName(this.args.name);
    const client = this.client();
    await ofConnection(client, name, () => client.connections.remove(name));
    if (this.isJson) this.printJson({ name, removed: true });
    else if (!this.isQuiet) this.log(`Removed ${name}.`);
    return EXIT.ok;
  }
}
