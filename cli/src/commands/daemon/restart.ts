import { CONTEXT_FLAG, GATEWAY_FLAGS } from '../../lib/base-command.js';
import { MANAGER_FLAGS, chosenServices } from '../../daemon/choose.js';
import { DaemonCommand, DRAIN_FLAGS, SERVICE_ARG, SERVICE_FLAGS } from '../../daemon/command.js';
import { LocalManager } from '../../daemon/local.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { launch } from '../../stack/index.js';

export default class DaemonRestart extends DaemonCommand<typeof DaemonRestart> {
  static override summary = 'Stop services of this machine and start them again.';
  static override description =
    'As "daemon stop" and then "daemon start" do it: jobs that run are waited for, up to --timeout. A changed configuration counts afterwards.';
  static override examples = [
    '<%= config.bin %> daemon restart converter',
    '<%= config.bin %> daemon restart --all --now',
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
    const services = chosenServices('restart', {
      all,
      names: this.named,
      daemon,
    });
    const manager = await this.manager();
    const before = await manager.report();
    const { interrupted, handedBack } = await this.stopServices(manager, services);
    if (interrupted) return this.interruptedExit();
    let restarted: readonly string[] = services ?? manager.services;
    if (services === undefined && manager instanceof LocalManager) {
      const names = before.services.map(({ name }) => name);
      const only = names.length === 0 || names.length === manager.services.length ? undefined : names.join(',');
      const { state } = await launch({
        home: manager.home,
        set: [],
        only,
        wanted: 'all',
        foreground: false,
        onState: () => {},
      });
      restarted = Object.keys(state.services);
    } else {
      await manager.start(services ?? manager.services, () => {});
    }
    if (this.isJson) this.printJson({ manager: manager.kind, restarted, handed_back: handedBack });
    else if (!this.isQuiet)
      this.log(`${manager.kind === 'systemd' ? 'systemd: ' : ''}Restarted: ${restarted.join(', ')}`);
    return EXIT.ok;
  }
}
