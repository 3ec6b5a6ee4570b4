import { Flags } from '@oclif/core';
import { durationWord } from '@hyper2kvm/contracts';
import { BaseCommand } from '../../lib/base-command.js';
import { HOME_FLAG } from '../../lib/daemon-flags.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { table } from '../../lib/table.js';
import { report, resolveHome } from '../../stack/index.js';

export default class DaemonStatus extends BaseCommand<typeof DaemonStatus> {
  static override summary = 'Show what runs on this machine.';
  static override description = 'The exit code is 0 when everything runs and is healthy, else 1.';
  static override examples = ['<%= config.bin %> daemon status --all', '<%= config.bin %> daemon status --json'];
  static override flags = { all: Flags.boolean({ description: 'All of it (what is shown anyway).' }), ...HOME_FLAG };

  protected async work(): Promise<ExitCode> {
    const found = await report(resolveHome(this.flags.home));
    const fine =
      found.running &&
      found.state === 'ready' &&
      found.services.every(({ state, health }) => state === 'running' && health === 'healthy');
    if (this.isJson) this.printJson(found);
    else if (!this.isQuiet) {
      this.log(`Local stack: ${found.state}${found.error === null ? '' : ` (${found.error})`}, home ${found.home}`);
      if (found.gateway_url !== null) this.log(`Gateway:     ${found.gateway_url}`);
      const rows = found.services.map((one) => [
        one.name,
        one.state,
        one.pid === null ? '-' : String(one.pid),
        one.uptime_seconds === null ? '-' : durationWord(one.uptime_seconds),
        one.version,
        one.health,
        String(one.restarts),
        one.log,
      ]);
      if (rows.length > 0)
        this.log(table(['SERVICE', 'STATE', 'PID', 'UPTIME', 'VERSION', 'HEALTH', 'RESTARTS', 'LOG'], rows).join('\n'));
    }
    return fine ? EXIT.ok : EXIT.failed;
  }
}
