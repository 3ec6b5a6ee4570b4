import { Flags } from '@oclif/core';
import { JOB_STATUSES, JobStatus } from '@hyper2kvm/contracts';
import { BaseCommand, GATEWAY_FLAGS } from '../lib/base-command.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { findBatch } from '../lib/find-batch.js';
import { jobTable } from '../lib/table.js';
import { noSuchValue } from '../lib/usage-errors.js';
import { parseSince } from '../lib/when.js';

export default class List extends BaseCommand<typeof List> {
  static override summary = 'List the jobs, newest first.';
  static override description =
    'Conditions are combined. What became of one: hyperctl status --job ID; of all of a plan: hyperctl batches show.';
  static override examples = [
    '<%= config.bin %> list',
    '<%= config.bin %> list --status converting',
    '<%= config.bin %> list --status failed,cancelled --json',
    '<%= config.bin %> list --batch night-1 --status failed',
    '<%= config.bin %> list --tag production --since 24h --limit 20',
  ];
  static override flags = {
    status: Flags.string({
      description: `Only jobs of these states (${JOB_STATUSES.join(', ')}), separated by commas.`,
    }),
    vm: Flags.string({ description: 'Only jobs of the VM of this name.' }),
    tag: Flags.string({ description: 'Only jobs with this tag.' }),
    batch: Flags.string({ description: 'Only jobs of this batch: its id, or its name.' }),
    since: Flags.string({ description: 'Only jobs created since: 24h or 7d (ago), 2026-01-17, or RFC 3339.' }),
    limit: Flags.integer({ char: 'n', min: 1, description: 'At most so many [default: all].' }),
    ...GATEWAY_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    const status = this.flags.status?.split(',').map((word) => {
      const parsed = JobStatus.safeParse(word.trim());
      if (parsed.success) return parsed.data;
      throw noSuchValue('value of --status', word.trim(), JOB_STATUSES);
    });
    const { vm, tag, batch, since, limit } = this.flags;
    const client = this.client();
    const filter = {
      status,
      vm,
      tag,
      batch: batch === undefined ? undefined : await findBatch(client, batch),
      since: since === undefined ? undefined : parseSince(since, '--since', new Date()).toISOString(),
    };
    const jobs = await client.jobs(filter, limit);
    if (this.isJson) this.printJson({ jobs });
    else if (!this.isQuiet) {
      this.log(jobs.length === 0 ? 'No jobs.' : jobTable(jobs, this.columns).join('\n'));
    }
    return EXIT.ok;
  }
}
