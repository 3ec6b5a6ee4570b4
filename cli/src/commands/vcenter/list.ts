import { BaseCommand, GATEWAY_FLAGS } from '../../lib/base-command.js';
import { TRUST_WORDS } from '../../lib/connection.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { printable } from '../../lib/format.js';
import { table } from '../../lib/table.js';

export default class VcenterList extends BaseCommand<typeof VcenterList> {
  static override summary = 'List the vCenter connections that the gateway knows.';
  static override description =
    'Those that were stored (hyperctl vcenter add) and the one of the configuration; no password is shown.';
  static override examples = ['<%= config.bin %> vcenter list', '<%= config.bin %> vcenter list --json'];
  static override flags = { ...GATEWAY_FLAGS };

  protected async work(): Promise<ExitCode> {
    const vcenters = await this.client().connections.list();
    if (this.isJson) this.printJson({ vcenters });
    else if (!this.isQuiet) {
      const rows = vcenters.map((one) => [
        one.name,
        printable(one.server),
        printable(one.username),
        printable(one.datacenter ?? ''),
        TRUST_WORDS[one.trust],
        one.origin,
      ]);
      const heads = ['NAME', 'SERVER', 'USERNAME', 'DATACENTER', 'CERTIFICATE', 'FROM'];
      this.log(vcenters.length === 0 ? 'No vCenter connections.' : table(heads, rows, this.columns).join('\n'));
    }
    return EXIT.ok;
  }
}
