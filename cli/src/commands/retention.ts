import { Flags } from '@oclif/core';
import type { RetentionReport } from '@hyper2kvm/contracts';
import { BaseCommand, GATEWAY_FLAGS } from '../lib/base-command.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { plural, printable, sizeWord } from '../lib/format.js';
import { table } from '../lib/table.js';
import { wrap } from '../lib/wrap.js';

/** Rows that are listed: a fleet has thousands of old jobs. */
const MOST_ROWS = 50;

export default class Retention extends BaseCommand<typeof Retention> {
  static override summary = 'What the policy of retention would remove now; with --run, remove it.';
  static override description =
    'Old jobs with their history and log, exported images that nobody needs any more, old entries of the audit.\n' +
    "Converted VMs always stay. The policy is gateway.retention in the gateway's configuration.";
  static override examples = ['<%= config.bin %> retention', '<%= config.bin %> retention --run'];
  static override flags = {
    run: Flags.boolean({ description: 'Remove it. An admin may.' }),
    ...GATEWAY_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    const { operations } = this.client();
    const report = await (this.flags.run ? operations.runRetention() : operations.retention());
    if (this.isJson) this.printJson(report);
    else if (!this.isQuiet) this.log(retentionLines(report, this.columns).join('\n'));
    return EXIT.ok;
  }
}

const days = (count: number | null): string => (count === null ? 'kept' : `after ${plural(count, 'day')}`);

export function retentionLines(report: RetentionReport, columns?: number): string[] {
  const { policy, jobs, artifacts } = report;
  const rows = [
    ...jobs.map((job) => ['job', job.job_id, printable(job.vm_name), `${job.status} ${job.completed_at.slice(0, 10)}`]),
    ...artifacts.map((artifact) => [
      'images',
      artifact.job_id,
      printable(artifact.vm_name),
      `${artifact.bytes === null ? '' : `${sizeWord(artifact.bytes)} `}${printable(artifact.folder)}`,
    ]),
  ];
  const lines = (text: string): string[] => (columns === undefined ? [text] : wrap(text, columns));
  return [
    ...lines(
      `Policy: jobs ${days(policy.jobs_days)}, exported images ${days(policy.artifacts_days)}, audit ${days(policy.audit_days)}; ` +
        (report.enabled ? 'carried out daily.' : 'carried out on request alone (gateway.retention.enabled).'),
    ),
    ...(rows.length === 0 ? [] : table(['WHAT', 'JOB ID', 'VM', ''], rows.slice(0, MOST_ROWS), columns)),
    ...(rows.length > MOST_ROWS ? [`and ${rows.length - MOST_ROWS} more (--json has all)`] : []),
    ...lines(
      `${report.dry_run ? 'Would remove' : 'Removed'}: ${plural(jobs.length, 'job')}, images of ${plural(artifacts.length, 'job')}, ` +
        `${report.audit_entries} entries of the audit.`,
    ),
    ...(report.dry_run && rows.length + report.audit_entries > 0 ? ['Do it: hyperctl retention --run'] : []),
  ];
}
