import { Flags } from '@oclif/core';
import { MANAGER_FLAGS, chosenServices } from '../../daemon/choose.js';
import { DaemonCommand, SERVICE_ARG, SERVICE_FLAGS } from '../../daemon/command.js';
import { LocalManager } from '../../daemon/local.js';
import type { Outcome, ServiceManager } from '../../daemon/manager.js';
import { serviceOf, type ServiceName } from '../../daemon/names.js';
import { UsageError } from '../../lib/errors.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { launch, runningState, type StackState } from '../../stack/index.js';

/** Flags that systemd has no use for. */
const LOCAL_ONLY = ['port', 'set', 'foreground', 'only'] as const;

export default class DaemonStart extends DaemonCommand<typeof DaemonStart> {
  static override summary = 'Start services of this machine, or all of them.';
  static override description =
    'Where the units of systemd are installed they are started. Else the local stack is: nats-server, PostgreSQL and the four services under a supervisor that starts again what dies. It waits until all is ready.';
  static override examples = [
    '<%= config.bin %> daemon start --all',
    '<%= config.bin %> daemon start converter',
    '<%= config.bin %> daemon start --all --port 9090 --set notifier.smtp.host=mail.example.com',
  ];
  static override args = SERVICE_ARG;
  static override flags = {
    ...SERVICE_FLAGS,
    port: Flags.integer({
      helpGroup: 'LOCAL STACK',
      min: 1,
      max: 65_535,
      description: 'Port of the gateway [default: 8080, or the next free one; kept afterwards].',
    }),
    set: Flags.string({
      helpGroup: 'LOCAL STACK',
      multiple: true,
      multipleNonGreedy: true,
      description: 'key.path=value for the configuration; kept (key.path= removes it). Repeatable.',
    }),
    foreground: Flags.boolean({ helpGroup: 'LOCAL STACK', description: 'Stay here until Ctrl-C.' }),
    only: Flags.string({ hidden: true, description: 'Only these services, separated by commas (for developing).' }),
    ...MANAGER_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    const { all, daemon = [], only } = this.flags;
    const names = this.named;
    const services = chosenServices('start', { all: all || only !== undefined, names, daemon });
    const manager = await this.manager();
    const beside = LOCAL_ONLY.find((name) => this.flags[name] !== undefined && this.flags[name] !== false);
    if (beside !== undefined && manager.kind === 'systemd')
      throw new UsageError(
        `--${beside} is of the local stack, and here systemd runs the services`,
        'edit /etc/hyper2kvm/config.yaml, or give --local',
      );
    if (beside !== undefined && services !== undefined)
      throw new UsageError(
        `--${beside} goes with --all`,
        'hyperctl daemon restart --all takes a changed configuration',
      );
    if (services === undefined && manager instanceof LocalManager) return this.#all(manager);
    return this.#some(manager, services ?? manager.services);
  }

  async #all(manager: LocalManager): Promise<ExitCode> {
    const told = new Set<string>();
    const { state, already, ended } = await launch({
      home: manager.home,
      port: this.flags.port,
      set: this.flags.set ?? [],
      only: this.flags.only,
      wanted: 'all',
      foreground: this.flags.foreground,
      onState: (current) => this.#tell(current, told),
    });
    // Parts that were stopped on purpose are started by a start of everything, too.
    const back = already ? await this.#back(manager, state) : [];
    const summary = {
      manager: manager.kind,
      already_running: already,
      started: already ? back : Object.keys(state.services),
      home: state.home,
      config: state.config,
      gateway_url: state.gateway_url,
    };
    if (this.isJson) this.printJson({ ...summary, supervisor_pid: state.supervisor.pid });
    else if (!this.isQuiet) {
      const ready = state.state === 'ready' ? 'The local stack is ready' : 'The local stack was stopped';
      const what = already ? `The local stack already runs (pid ${state.supervisor.pid})` : ready;
      if (back.length > 0) this.log(`Started: ${back.join(', ')}`);
      this.log(`${what}: gateway ${state.gateway_url}, home ${state.home}`);
      if (already && (this.flags.set !== undefined || this.flags.port !== undefined))
        this.note('--set and --port have no effect on a stack that runs; stop it first');
    }
    if (!this.flags.foreground || already) return EXIT.ok;
    return (await ended) === 0 ? EXIT.ok : EXIT.failed;
  }

  async #back(manager: LocalManager, state: StackState): Promise<string[]> {
    const names = Object.keys(runningState(manager.home)?.services ?? state.services).map(serviceOf);
    return changed(await manager.start(names, () => {}));
  }

  async #some(manager: ServiceManager, services: readonly ServiceName[]): Promise<ExitCode> {
    const outcomes = await manager.start(services, (name) => this.say(`Starting ${name} …`));
    const started = changed(outcomes);
    const were = outcomes.filter((one) => !one.changed).map(({ name }) => name);
    if (this.isJson) this.printJson({ manager: manager.kind, started, already_running: were });
    else if (!this.isQuiet) {
      const where = manager.kind === 'systemd' ? 'systemd: ' : '';
      if (started.length > 0) this.log(`${where}Started: ${started.join(', ')}`);
      if (were.length > 0) this.log(`${where}Running already: ${were.join(', ')}`);
    }
    return EXIT.ok;
  }

  #tell(state: StackState, told: Set<string>): void {
    if (this.isQuiet) return;
    for (const [name, service] of Object.entries(state.services)) {
      if (service.state !== 'running' || told.has(name)) continue;
      told.add(name);
      this.log(`  ✅ ${name} ${service.version}${service.port === null ? '' : ` on 127.0.0.1:${service.port}`}`);
    }
  }
}

const changed = (outcomes: readonly Outcome[]): string[] =>
  outcomes.filter((one) => one.changed).map(({ name }) => name);
