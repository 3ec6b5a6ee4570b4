import { Flags } from '@oclif/core';
import { GATEWAY_FLAGS } from '../lib/base-command.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { findJob, JOB_FLAGS } from '../lib/find-job.js';
import { WatchingCommand } from '../lib/watching-command.js';

export default class Retry extends WatchingCommand<typeof Retry> {
  static override summary = 'Start another attempt of a failed job.';
  static override description =
    'The conversion alone is repeated while the exported disks stand. The progress is shown until the job ended.';
  static override examples = [
    '<%= config.bin %> retry --job job-7k2m9x4qa3hd',
    '<%= config.bin %> retry --vm production-db --detach',
  ];
  static override flags = {
    ...JOB_FLAGS,
    detach: Flags.boolean({ char: 'd', description: 'Only start the attempt.' }),
    ...GATEWAY_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    const client = this.client();
    const jobId = await findJob(client, this.flags);
    const job = await client.retry(jobId);
    if (!this.flags.detach) return this.watchJob(client, jobId);
    if (this.isJson) this.printJson(job);
    else if (!this.isQuiet)
      this.log(`Job ${jobId} is ${job.status} again.\nFollow progress: hyperctl status --job ${jobId} --follow`);
    return EXIT.ok;
  }
}
