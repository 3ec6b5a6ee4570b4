import { Args, Flags } from '@oclif/core';
import { BaseCommand, GATEWAY_FLAGS } from '../lib/base-command.js';
import { UsageError } from '../lib/errors.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { findJob, JOB_FLAGS } from '../lib/find-job.js';
import { rateWord } from '../lib/format.js';
import { given } from '../lib/given.js';
import { parseRate } from '../lib/units.js';

export default class Bandwidth extends BaseCommand<typeof Bandwidth> {
  static override summary = 'Limit the bandwidth of a job or of an exporter, also while it runs.';
  static override description =
    'A rate is in bytes a second: 200M and 1.5G count in thousands, 500Ki and 100Mi in powers of two.\n' +
    'A job is held to its own limit and to that of its exporter. An exporter is called as its configuration says (worker_id),\n' +
    'else HOST-exporter; where there is none of that name, the error lists those that run.';
  static override examples = [
    '<%= config.bin %> bandwidth --job job-7k2m9x4qa3hd 50M',
    '<%= config.bin %> bandwidth --vm production-db unlimited',
    '<%= config.bin %> bandwidth --worker kvm01-exporter 400M',
  ];
  static override args = {
    rate: Args.string({ description: 'For example 200M, or "unlimited".', ignoreStdin: true }),
  };
  static override flags = {
    ...JOB_FLAGS,
    worker: Flags.string({ description: 'Id of an exporter: the limit of all its jobs.', exclusive: ['job', 'vm'] }),
    ...GATEWAY_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    const rate = this.#rate();
    const client = this.client();
    const { worker } = this.flags;
    const job = worker === undefined ? await findJob(client, this.flags) : undefined;
    if (job !== undefined) await client.change(job, { bandwidth_bytes_per_second: rate });
    else if (worker !== undefined) await client.limitWorker(worker, rate);
    if (this.isJson)
      this.printJson({ ...given('job', job), ...given('worker', worker), bandwidth_bytes_per_second: rate });
    else if (!this.isQuiet) {
      const name = job === undefined ? `Worker ${worker}` : `Job ${job}`;
      this.log(`${name}: ${rate === null ? 'no limit any more' : `at most ${rateWord(rate)} from now on`}`);
    }
    return EXIT.ok;
  }

  /** Bytes a second; null is no limit. */
  #rate(): number | null {
    const { rate } = this.args;
    if (rate === undefined) throw new UsageError('which rate?', 'for example 200M, or "unlimited"');
    return rate.toLowerCase() === 'unlimited' ? null : parseRate(rate, 'RATE');
  }
}
