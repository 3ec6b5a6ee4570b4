import { Flags } from '@oclif/core';
import { ErrorCode } from '@hyper2kvm/contracts';
import { GATEWAY_FLAGS } from '../lib/base-command.js';
import { CONVERSION_FLAGS, retryBody } from '../lib/conversion-options.js';
import { UsageError } from '../lib/errors.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { findBatch } from '../lib/find-batch.js';
import { findJob, JOB_FLAGS } from '../lib/find-job.js';
import { plural, printable } from '../lib/format.js';
import { given } from '../lib/given.js';
import { readLuksKeys } from '../lib/luks-keys.js';
import { WatchingCommand } from '../lib/watching-command.js';
import { parseSince } from '../lib/when.js';

export default class Retry extends WatchingCommand<typeof Retry> {
  static override summary = 'Start another attempt of a failed job, or of all of them.';
  static override description =
    'The conversion alone is repeated while the exported disks stand; what its flags say is done otherwise this time.\n' +
    'The progress of a single job is shown until it ended. --all-failed tells which jobs could not be tried again, and\n' +
    'ends with 1 where there are some.';
  static override examples = [
    '<%= config.bin %> retry --job job-7k2m9x4qa3hd',
    '<%= config.bin %> retry --vm production-db --luks-key root.key',
    '<%= config.bin %> retry --vm production-db --detach',
    '<%= config.bin %> retry --all-failed',
    '<%= config.bin %> retry --all-failed --batch night-1 --since 12h --code DISK_FULL',
  ];
  static override flags = {
    ...JOB_FLAGS,
    'all-failed': Flags.boolean({ description: 'Every failed job.', exclusive: ['job', 'vm', 'luks-key'] }),
    batch: Flags.string({ description: 'Of this batch alone: its id, or its name.', dependsOn: ['all-failed'] }),
    tag: Flags.string({ description: 'Of jobs with this tag alone.', dependsOn: ['all-failed'] }),
    since: Flags.string({
      description: 'Of jobs created since then alone: 24h or 7d (ago), 2026-01-17, or RFC 3339.',
      dependsOn: ['all-failed'],
    }),
    code: Flags.string({
      description: 'Of jobs that failed with this error code alone, for example DISK_FULL.',
      dependsOn: ['all-failed'],
    }),
    detach: Flags.boolean({ char: 'd', description: 'Only start the attempt.' }),
    'verify-boot': Flags.boolean({ allowNo: true, description: 'Demand a boot proof, or do without.' }),
    'proof-timeout': Flags.integer({ min: 10, max: 7200, description: 'Seconds that the guest is given for it.' }),
    ...CONVERSION_FLAGS,
    ...GATEWAY_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    if (this.flags['all-failed']) return this.#all();
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

  async #all(): Promise<ExitCode> {
    const client = this.client();
    const { batch, tag, since, code } = this.flags;
    const known = code === undefined ? undefined : ErrorCode.safeParse(code.toUpperCase());
    if (known?.success === false)
      throw new UsageError(`--code: ${code} is no error code`, 'docs/user-guide.md lists the error codes');
    const id = batch === undefined ? undefined : await findBatch(client, batch);
    const result = await client.retryAll({
      ...given('batch', id),
      ...given('tag', tag),
      ...given('since', since === undefined ? undefined : parseSince(since, '--since', new Date()).toISOString()),
      ...given('code', known?.data),
      ...given('options', retryBody(this.flags, [])?.options),
    });
    if (this.isJson) this.printJson(result);
    else {
      if (!this.isQuiet) {
        this.log(
          result.retried.length === 0
            ? 'Nothing to try again.'
            : `Tried again: ${plural(result.retried.length, 'job')}`,
        );
        if (result.retried.length > 0)
          this.log(id === undefined ? 'See them: hyperctl list' : `Watch them: hyperctl batches watch ${id}`);
      }
      for (const refused of result.refused)
        this.logToStderr(`Not tried again: ${refused.job_id}: ${printable(refused.message)} (${refused.code})`);
      if (result.refused.length > 0) this.logToStderr(`  trace: ${this.trace.traceId}`);
    }
    return result.refused.length === 0 ? EXIT.ok : EXIT.failed;
  }
}
