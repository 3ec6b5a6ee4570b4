import { BaseCommand, GATEWAY_FLAGS } from '../lib/base-command.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { findJob, JOB_FLAGS } from '../lib/find-job.js';
import { attemptLines, eventLines, headLine } from '../lib/operations/timeline.js';

export default class Timeline extends BaseCommand<typeof Timeline> {
  static override summary = 'What happened to a job: every attempt and event, who and when.';
  static override description =
    'Attempts of export, conversion, clean-up, hooks … with worker and duration; then the events, oldest first: what was asked\n' +
    'for and by whom, what workers told, what the gateway decided. Times are UTC. What was done in the guest: hyperctl logs.';
  static override examples = [
    '<%= config.bin %> timeline --job job-7k2m9x4qa3hd',
    '<%= config.bin %> timeline --vm production-db --json',
  ];
  static override flags = { ...JOB_FLAGS, ...GATEWAY_FLAGS };

  protected async work(): Promise<ExitCode> {
    const client = this.client();
    const id = await findJob(client, this.flags);
    const [job, attempts, events] = await Promise.all([
      client.job(id),
      client.operations.attempts(id),
      client.operations.timeline(id),
    ]);
    if (this.isJson) {
      const { job_id, vm_name, status, created_at, completed_at } = job;
      this.printJson({ job_id, vm_name, status, created_at, completed_at, attempts, events });
    } else if (!this.isQuiet) {
      const now = Date.now();
      const lines = [headLine(job, now)];
      if (attempts.length > 0) lines.push('', ...attemptLines(attempts, now, this.columns));
      if (events.length > 0) lines.push('', ...eventLines(events, this.columns));
      this.log(lines.join('\n'));
    }
    return EXIT.ok;
  }
}
