import { CONTEXT_FLAG, GATEWAY_FLAGS } from '../../lib/base-command.js';
import { MANAGER_FLAGS, chosenServices } from '../../daemon/choose.js';
import { DaemonCommand, DRAIN_FLAGS, SERVICE_ARG, SERVICE_FLAGS } from '../../daemon/command.js';
import { LocalManager } from '../../daemon/local.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';

export default class DaemonStop extends DaemonCommand<typeof DaemonStop> {
  static override summary = 'Stop services of this machine, or all of them.';
  static override description =
    'Jobs that run are waited for, up to --timeout; then they are handed back, and go on after the next start: an export where it was, a conversion from the exported disks. Services end first, then the database and the bus. A service that was stopped by name stays so until it is started by name or with --all.';
  static override examples = [
    '<%= config.bin %> daemon stop --all',
    '<%= config.bin %> daemon stop converter --timeout 3600',
    '<%= config.bin %> daemon stop --all --now',
  ];
  static override args = SERVICE_ARG;
  static override flags = {
    ...SERVICE_FLAGS,
    ...DRAIN_FLAGS,
    ...MANAGER_FLAGS,
    ...CONTEXT_FLAG,
    token: GATEWAY_FLAGS.token,
  };

  protected async work(): Promise<ExitCode> {
    const { all, daemon = [] } = this.flags;
    const services = chosenServices('stop', { all, names: this.named, daemon });
    const manager = await this.manager();
    const { interrupted, handedBack, outcomes, halted } = await this.stopServices(manager, services);
    if (interrupted) return this.interruptedExit();
    const stopped = halted?.stopped ?? outcomes.filter(({ changed }) => changed).map(({ name }) => name);
    if (this.isJson) {
      this.printJson({
        manager: manager.kind,
        home: manager instanceof LocalManager ? manager.home : null,
        ran: halted?.ran ?? stopped.length > 0,
        stopped,
        orphaned: halted?.orphaned ?? false,
        handed_back: handedBack,
      });
    } else if (!this.isQuiet) {
      const where = manager.kind === 'systemd' ? 'systemd: ' : '';
      if (halted !== undefined && !halted.ran) this.log(`Nothing runs in ${this.home}.`);
      else if (halted?.orphaned === true)
        this.log(`The supervisor had been killed; ended what it left: ${stopped.join(', ')}`);
      else if (halted === undefined && stopped.length === 0)
        this.log(`${where}${outcomes.map(({ name }) => name).join(', ')}: stopped already`);
      else this.log(`${where}Stopped: ${stopped.join(', ') || 'the supervisor'}`);
    }
    return EXIT.ok;
  }
}
