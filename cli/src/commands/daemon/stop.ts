import { Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/base-command.js';
import { HOME_FLAG, requireAll } from '../../lib/daemon-flags.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { halt, resolveHome } from '../../stack/index.js';

export default class DaemonStop extends BaseCommand<typeof DaemonStop> {
  static override summary = 'Stop everything on this machine.';
  static override description =
    'Services first, so that they hand back their work; then the database and the bus. Jobs go on after the next start.';
  static override examples = ['<%= config.bin %> daemon stop --all'];
  static override flags = { all: Flags.boolean({ description: 'All of it.' }), ...HOME_FLAG };

  protected async work(): Promise<ExitCode> {
    requireAll(this.flags.all, 'stop');
    const home = resolveHome(this.flags.home);
    const halted = await halt(home);
    if (this.isJson) this.printJson({ home, ...halted });
    else if (!this.isQuiet) {
      if (!halted.ran) this.log(`Nothing runs in ${home}.`);
      else if (halted.orphaned)
        this.log(`The supervisor had been killed; ended what it left: ${halted.stopped.join(', ')}`);
      else this.log(`Stopped: ${halted.stopped.join(', ') || 'the supervisor'}`);
    }
    return EXIT.ok;
  }
}
