import { Flags } from '@oclif/core';
import { BaseCommand, GATEWAY_FLAGS } from '../../lib/base-command.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { WORKING_NAMES, workingOf } from '../../lib/workers/daemons.js';
import { workerTable } from '../../lib/workers/show.js';

export default class WorkersList extends BaseCommand<typeof WorkersList> {
  static override summary = 'List the exporters and converters that run.';
  static override description =
    'JOBS are those at hand, of so many at a time; QUEUE counts what waits in the queues that the worker takes from; FREE is\n' +
    'the space in its folder.';
  static override examples = [
    '<%= config.bin %> workers list',
    '<%= config.bin %> workers list --daemon converter',
    '<%= config.bin %> workers list --json',
  ];
  static override flags = {
    daemon: Flags.option({ options: WORKING_NAMES })({
      helpValue: 'exporter|converter',
      description: 'Only exporters, or only converters; go and python are names for them.',
    }),
    ...GATEWAY_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    const { daemon } = this.flags;
    const all = await this.client().workers.list();
    const workers = daemon === undefined ? all : all.filter(({ service }) => service === workingOf(daemon));
    if (this.isJson) this.printJson({ workers });
    else if (!this.isQuiet)
      this.log(workers.length === 0 ? 'No workers.' : workerTable(workers, this.columns).join('\n'));
    return EXIT.ok;
  }
}
