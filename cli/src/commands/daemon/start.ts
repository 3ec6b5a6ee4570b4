import { Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/base-command.js';
import { HOME_FLAG, requireAll } from '../../lib/daemon-flags.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { launch, resolveHome, type StackState } from '../../stack/index.js';

export default class DaemonStart extends BaseCommand<typeof DaemonStart> {
  static override summary = 'Start everything on this machine.';
  static override description =
    'Runs nats-server, PostgreSQL and the four services under a supervisor that starts again what dies, and waits until all is ready.';
  static override examples = [
    '<%= config.bin %> daemon start --all',
    '<%= config.bin %> daemon start --all --port 9090 --set notifier.smtp.host=mail.example.com',
  ];
  static override flags = {
    all: Flags.boolean({ description: 'All of it.' }),
    ...HOME_FLAG,
    port: Flags.integer({
      min: 1,
      max: 65_535,
      description: 'Port of the gateway [default: 8080, or the next free one; kept afterwards].',
    }),
    set: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      description: 'key.path=value for the configuration; kept (key.path= removes it). Repeatable.',
    }),
    foreground: Flags.boolean({ description: 'Stay here until Ctrl-C.' }),
    only: Flags.string({ hidden: true, description: 'Only these services, separated by commas (for developing).' }),
  };

  protected async work(): Promise<ExitCode> {
    requireAll(this.flags.all || this.flags.only !== undefined, 'start');
    const told = new Set<string>();
    const { state, already, ended } = await launch({
      home: resolveHome(this.flags.home),
      port: this.flags.port,
      set: this.flags.set ?? [],
      only: this.flags.only,
      foreground: this.flags.foreground,
      onState: (current) => this.#tell(current, told),
    });
    const summary = {
      already_running: already,
      home: state.home,
      config: state.config,
      gateway_url: state.gateway_url,
    };
    if (this.isJson) this.printJson({ ...summary, supervisor_pid: state.supervisor.pid });
    else if (!this.isQuiet) {
      const ready = state.state === 'ready' ? 'The local stack is ready' : 'The local stack was stopped';
      const what = already ? `The local stack already runs (pid ${state.supervisor.pid})` : ready;
      this.log(`${what}: gateway ${state.gateway_url}, home ${state.home}`);
      if (already && (this.flags.set !== undefined || this.flags.port !== undefined))
        this.logToStderr('Note: --set and --port have no effect on a stack that runs; stop it first');
    }
    if (!this.flags.foreground || already) return EXIT.ok;
    return (await ended) === 0 ? EXIT.ok : EXIT.failed;
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
