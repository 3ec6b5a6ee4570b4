import { Flags } from '@oclif/core';
import { isEnded, type JobDetail } from '@hyper2kvm/contracts';
import { BaseCommand, GATEWAY_FLAGS } from '../lib/base-command.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { jsonText } from '../lib/format.js';
import { findJob, JOB_FLAGS } from '../lib/find-job.js';
import { followLog, logLine, silenceOf } from '../lib/job-log.js';
import { interruption } from '../lib/poll.js';

export default class Logs extends BaseCommand<typeof Logs> {
  static override summary = 'Show the log of a job.';
  static override description =
    'Where there is none yet, standard error says why the job waits. With --follow each line is shown as it comes, until the job\n' +
    'ended; with --json each is a document of its own then.';
  static override examples = [
    '<%= config.bin %> logs --job job-7k2m9x4qa3hd --tail 50',
    '<%= config.bin %> logs --vm production-db --follow',
  ];
  static override flags = {
    ...JOB_FLAGS,
    follow: Flags.boolean({ char: 'f', description: 'Go on until the job ended.' }),
    tail: Flags.integer({
      char: 'n',
      min: 1,
      max: 10_000,
      default: 1000,
      description: 'Number of lines from the end.',
    }),
    ...GATEWAY_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    const client = this.client();
    const jobId = await findJob(client, this.flags);
    const { tail, follow } = this.flags;
    if (!follow) {
      const logs = await client.logs(jobId, tail);
      if (this.isJson) this.printJson(logs);
      else for (const line of logs.lines) this.log(logLine(line));
      if (logs.lines.length === 0) this.#none(await client.job(jobId));
      return EXIT.ok;
    }
    // A gateway that is not there now is an error, one that goes away later is waited for.
    const job = await client.job(jobId);
    // One document per line: a stream has no end to wait for.
    const print = this.isJson ? jsonText : logLine;
    const interrupted = interruption();
    try {
      const lines = followLog(client, jobId, tail, interrupted.signal, () => this.#none(job));
      for await (const line of lines) this.log(print(line));
    } finally {
      interrupted.release();
    }
    return interrupted.signal.aborted ? EXIT.interrupted : EXIT.ok;
  }

  #none(job: JobDetail): void {
    if (!this.isQuiet) this.logToStderr(`No log lines${isEnded(job.status) ? '' : ' yet'}: ${silenceOf(job)}.`);
  }
}
