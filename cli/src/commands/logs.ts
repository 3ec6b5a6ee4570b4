import { Flags } from '@oclif/core';
import { BaseCommand, GATEWAY_FLAGS } from '../lib/base-command.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { findJob, JOB_FLAGS } from '../lib/find-job.js';
import { followLog, logLine } from '../lib/job-log.js';

export default class Logs extends BaseCommand<typeof Logs> {
  static override summary = 'Show the log of a job.';
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
      return EXIT.ok;
    }
    // A gateway that is not there now is an error, one that goes away later is waited for.
    await client.job(jobId);
    // One document per line: a stream has no end to wait for.
    const print = this.isJson ? JSON.stringify : logLine;
    const interrupted = new AbortController();
    process.once('SIGINT', () => interrupted.abort());
    for await (const line of followLog(client, jobId, tail, interrupted.signal)) this.log(print(line));
    return interrupted.signal.aborted ? EXIT.interrupted : EXIT.ok;
  }
}
