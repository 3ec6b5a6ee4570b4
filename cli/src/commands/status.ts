import { Flags } from '@oclif/core';
import { GATEWAY_FLAGS } from '../lib/base-command.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { findJob, JOB_FLAGS } from '../lib/find-job.js';
import { domainOf } from '../lib/watch.js';
import { WatchingCommand } from '../lib/watching-command.js';
import { statusLines } from '../progress/index.js';

export default class Status extends WatchingCommand<typeof Status> {
  static override summary = 'Show a job, or follow it to its end.';
  static override description =
    'Without --follow the exit code is 0 whatever the state of the job; with it 1 when the job failed or was cancelled.';
  static override examples = [
    '<%= config.bin %> status --vm production-db',
    '<%= config.bin %> status --job job-7k2m9x4qa3hd --follow',
  ];
  static override flags = {
    ...JOB_FLAGS,
    follow: Flags.boolean({ char: 'f', description: 'Show the progress until the job ended.' }),
    ...GATEWAY_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    const client = this.client();
    const jobId = await findJob(client, this.flags);
    // Also before following: a gateway that is not there now is an error, one that goes away later is waited for.
    const job = await client.job(jobId);
    if (!this.flags.follow) {
      if (this.isJson) this.printJson(job);
      else if (!this.isQuiet) {
        const color = this.settings.colorOn(process.stdout);
        const columns = process.stdout.isTTY && process.stdout.columns > 0 ? process.stdout.columns : 80;
        this.log(statusLines(job, { color, columns, domain: domainOf(job) }).join('\n'));
      }
      return EXIT.ok;
    }
    return this.watchJob(client, jobId);
  }
}
