import { Flags } from '@oclif/core';
import { JOB_STATUSES, JobStatus } from '@hyper2kvm/contracts';
import { BaseCommand, GATEWAY_FLAGS } from '../lib/base-command.js';
import { UsageError } from '../lib/errors.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { jobTable } from '../lib/table.js';

export default class List extends BaseCommand<typeof List> {
  static override summary = 'List the jobs, newest first.';
  static override examples = [
    '<%= config.bin %> list',
    '<%= config.bin %> list --status converting',
    '<%= config.bin %> list --status failed,cancelled --json',
  ];
  static override flags = {
    status: Flags.string({
      description: `Only jobs of these states (${JOB_STATUSES.join(', ')}), separated by commas.`,
    }),
    ...GATEWAY_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    const status = this.flags.status?.split(',').map((word) => {
      const parsed = JobStatus.safeParse(word.trim());
      if (parsed.success) return parsed.data;
      throw new UsageError(`--status: ${word} is no state of a job`, `one or more of: ${JOB_STATUSES.join(', ')}`);
    });
    const jobs = await this.client().jobs({ status });
    if (this.isJson) this.printJson({ jobs });
    else if (!this.isQuiet) {
      const columns = process.stdout.isTTY ? process.stdout.columns : undefined;
      this.log(jobs.length === 0 ? 'No jobs.' : jobTable(jobs, columns).join('\n'));
    }
    return EXIT.ok;
  }
}
