import { Flags } from '@oclif/core';
import type { Verification } from '@hyper2kvm/contracts';
import { BaseCommand, GATEWAY_FLAGS } from '../lib/base-command.js';
import type { GatewayClient } from '../lib/client.js';
import { CliError } from '../lib/errors.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { findJob, JOB_FLAGS, traceOf } from '../lib/find-job.js';
import { liveLine } from '../lib/live-line.js';
import { interruption, poll } from '../lib/poll.js';
import { reportLines } from '../lib/verify-report.js';
import { painter } from '../lib/width.js';

/** Without a terminal a line is worth it this often. */
const PLAIN_LINE_MS = 10_000;

export default class Verify extends BaseCommand<typeof Verify> {
  static override summary = "Read a job's files again and compare them with what was recorded.";
  static override description =
    'Every 64 MiB segment of each disk is hashed again. Start no VM from the files before: a guest changes its disks.\n' +
    'Exit codes: 0 identical, 1 a file differs or could not be read.';
  static override examples = [
    '<%= config.bin %> verify --job job-7k2m9x4qa3hd',
    '<%= config.bin %> verify --vm production-db --json',
    '<%= config.bin %> verify --job job-7k2m9x4qa3hd --last',
  ];
  static override flags = {
    ...JOB_FLAGS,
    detach: Flags.boolean({ char: 'd', description: 'Only start it.', exclusive: ['last'] }),
    last: Flags.boolean({ description: 'Start nothing: wait for the one that runs, or show the last result.' }),
    ...GATEWAY_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    const client = this.client();
    const jobId = await findJob(client, this.flags);
    const first = this.flags.last ? await client.verification(jobId) : await client.startVerification(jobId);
    if (this.flags.detach) {
      if (this.isJson) this.printJson(first);
      else if (!this.isQuiet) this.log(`Started. See the result: hyperctl verify --job ${jobId} --last`);
      return EXIT.ok;
    }
    const ended = isEnded(first) ? first : await this.#end(client, jobId);
    if (ended === undefined) {
      this.logToStderr(`The verification goes on. See the result: hyperctl verify --job ${jobId} --last`);
      return EXIT.interrupted;
    }
    return this.#tell(client, ended, jobId);
  }

  /** Undefined after Ctrl-C. */
  async #end(client: GatewayClient, jobId: string): Promise<Verification | undefined> {
    const line = liveLine(process.stdout, !this.showsProgress);
    const interrupted = interruption();
    let printed = Date.now();
    try {
      for await (const now of poll(() => client.verification(jobId), { signal: interrupted.signal })) {
        if (isEnded(now)) return now;
        const text =
          now.status === 'queued' ? 'Waiting for a worker' : `Verifying: ${Math.floor(now.percent_complete)}%`;
        line.set(`🔎 ${text}`);
        if (this.isQuiet || process.stdout.isTTY || Date.now() - printed < PLAIN_LINE_MS) continue;
        printed = Date.now();
        this.log(`${new Date(printed).toISOString().replace(/\.\d+Z$/, 'Z')} ${text}`);
      }
      return undefined;
    } finally {
      line.clear();
      interrupted.release();
    }
  }

  async #tell(client: GatewayClient, { report, failure, ...rest }: Verification, jobId: string): Promise<ExitCode> {
    const code = report?.identical === true ? EXIT.ok : EXIT.failed;
    if (this.isJson) this.printJson({ ...rest, report, failure });
    else if (report !== null) {
      const lines = reportLines(report, painter(this.settings.colorOn(process.stdout)));
      // What differs is an error, also to those who want to see errors only.
      if (!this.isQuiet) this.log(lines.join('\n'));
      else if (code !== EXIT.ok) this.logToStderr(lines.join('\n'));
    } else {
      throw new CliError(failure?.message ?? 'the verification ended without a report', {
        code: failure?.code ?? 'FAILED',
        advice: failure?.advice.replaceAll('<id>', jobId),
        jobId,
        traceId: await traceOf(client, jobId),
      });
    }
    return code;
  }
}

const isEnded = ({ status }: Verification): boolean => status === 'completed' || status === 'failed';
