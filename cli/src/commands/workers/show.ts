import { Args } from '@oclif/core';
import { BaseCommand, GATEWAY_FLAGS } from '../../lib/base-command.js';
import { UsageError } from '../../lib/errors.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { unknownWorker } from '../../lib/workers/choose.js';
import { workerLines } from '../../lib/workers/show.js';

/** Jobs that are looked at; a worker has some slots, not hundreds. */
const MOST = 20;

export default class WorkersShow extends BaseCommand<typeof WorkersShow> {
  static override summary = 'Show a worker, and the jobs that it is at.';
  static override description =
    'What it can do, where its files lie, how much space is left there, and whether it takes work.';
  static override examples = [
    '<%= config.bin %> workers show kvm01-converter',
    '<%= config.bin %> workers show kvm01-exporter --json',
  ];
  static override args = { worker: Args.string({ description: 'Id of the worker.', ignoreStdin: true }) };
  static override flags = { ...GATEWAY_FLAGS };

  protected async work(): Promise<ExitCode> {
    const { worker: id } = this.args;
    if (id === undefined || id === '') throw new UsageError('which worker?', 'hyperctl workers lists them');
    const client = this.client();
    const fleet = await client.workers.list();
    const worker = fleet.find((one) => one.worker_id === id);
    if (worker === undefined) throw unknownWorker(id, fleet);
    if (this.isJson) this.printJson(worker);
    else if (!this.isQuiet) {
      const active = await Promise.all(
        worker.active_jobs.slice(0, MOST).map(async (one) => ({
          id: one,
          // A job may end between the two questions, and a hook is none.
          job: await client.job(one).catch(() => undefined),
        })),
      );
      this.log(workerLines(worker, active, this.columns).join('\n'));
    }
    return EXIT.ok;
  }
}
