import { Flags } from '@oclif/core';
import { GATEWAY_FLAGS } from '../lib/base-command.js';
import { CONVERSION_FLAGS, retryBody } from '../lib/conversion-options.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { findJob, JOB_FLAGS } from '../lib/find-job.js';
import { readLuksKeys } from '../lib/luks-keys.js';
import { WatchingCommand } from '../lib/watching-command.js';

export default class Retry extends WatchingCommand<typeof Retry> {
  static override summary = 'Start another attempt of a failed job.';
  static override description =
    'The conversion alone is repeated while the exported disks stand; what its flags say is done otherwise this time.\n' +
    'The progress is shown until the job ended.';
  static override examples = [
    '<%= config.bin %> retry --job job-7k2m9x4qa3hd',
    '<%= config.bin %> retry --vm production-db --luks-key root.key',
    '<%= config.bin %> retry --vm production-db --detach',
  ];
  static override flags = {
    ...JOB_FLAGS,
    detach: Flags.boolean({ char: 'd', description: 'Only start the attempt.' }),
    'verify-boot': Flags.boolean({ allowNo: true, description: 'Demand a boot proof, or do without.' }),
    'proof-timeout': Flags.integer({ min: 10, max: 7200, description: 'Seconds that the guest is given for it.' }),
    ...CONVERSION_FLAGS,
    ...GATEWAY_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    const client = this.client();
    const jobId = await findJob(client, this.flags);
    const { keys, warnings } = readLuksKeys(this.flags['luks-key'] ?? [], process.env);
    if (!this.isQuiet) for (const warning of warnings) this.logToStderr(`Warning: ${warning}`);
    const job = await client.retry(jobId, retryBody(this.flags, keys));
    if (!this.flags.detach) return this.watchJob(client, jobId);
    if (this.isJson) this.printJson(job);
    else if (!this.isQuiet)
      this.log(`Job ${jobId} is ${job.status} again.\nFollow progress: hyperctl status --job ${jobId} --follow`);
    return EXIT.ok;
  }
}
