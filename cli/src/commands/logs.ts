import { Flags } from '@oclif/core';
import { isEnded, type JobDetail, type JobLog } from '@hyper2kvm/contracts';
import { BaseCommand, GATEWAY_FLAGS } from '../lib/base-command.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { jsonText } from '../lib/format.js';
import { findJob, JOB_FLAGS } from '../lib/find-job.js';
import { followLog, logLine, silenceOf } from '../lib/job-log.js';
import { interruption } from '../lib/poll.js';

export default class Logs extends BaseCommand<typeof Logs> {
  static override summary = 'Show the log of a job.';
  static override description =
    'Sentences about what was done; with --verbose also what programs such as qemu-img printed meanwhile. Where there are none yet,\n' +
    'standard error says why the job waits. With --follow each line is shown as it comes, until the job ended; with --json each is\n' +
    'a document of its own then, and programs are among them.';
  static override examples = [
    '<%= config.bin %> logs --job job-7k2m9x4qa3hd --tail 50',
    '<%= config.bin %> logs --vm production-db --follow',
    '<%= config.bin %> logs --vm production-db --level warn',
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
    level: Flags.option({
      options: ['debug', 'info', 'warn', 'error'] as const,
      description: 'This level and what is worse; debug is what programs printed. Default: info, with --json debug.',
    })(),
    verbose: Flags.boolean({ char: 'v', exclusive: ['level'], description: 'The same as --level debug.' }),
    ...GATEWAY_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    const client = this.client();
    const jobId = await findJob(client, this.flags);
    const { tail, follow, verbose } = this.flags;
    const level = this.flags.level ?? (verbose || this.isJson ? 'debug' : 'info');
    if (!follow) {
      const logs = await client.logs(jobId, tail, level);
      if (this.isJson) this.printJson(logs);
      else for (const line of logs.lines) this.log(logLine(line));
      if (logs.lines.length === 0) this.#none(await client.job(jobId), level);
      return EXIT.ok;
    }
    // A gateway that is not there now is an error, one that goes away later is waited for.
    const job = await client.job(jobId);
    // One document per line: a stream has no end to wait for.
    const print = this.isJson ? jsonText : logLine;
    const interrupted = interruption();
    try {
      const lines = followLog(client, jobId, { tail, level }, interrupted.signal, () => this.#none(job, level));
      for await (const line of lines) this.log(print(line));
    } finally {
      interrupted.release();
    }
    return interrupted.signal.aborted ? EXIT.interrupted : EXIT.ok;
  }

  #none(job: JobDetail, level: JobLog['level']): void {
    if (this.isQuiet) return;
    const yet = isEnded(job.status) ? '' : ' yet';
    // Of a log that has other lines nothing else is to be said.
    const isAll = level === 'debug' || level === 'info';
    this.logToStderr(isAll ? `No log lines${yet}: ${silenceOf(job)}.` : `No log lines of that level${yet}.`);
  }
}
