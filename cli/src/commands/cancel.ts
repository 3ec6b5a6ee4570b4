import { Flags } from '@oclif/core';
import type { JobDetail } from '@hyper2kvm/contracts';
import { BaseCommand, GATEWAY_FLAGS } from '../lib/base-command.js';
import type { GatewayClient } from '../lib/client.js';
import { GatewayProblem } from '../lib/errors.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { findJob, JOB_FLAGS } from '../lib/find-job.js';
import { liveLine } from '../lib/live-line.js';
import { interruption, poll } from '../lib/poll.js';
import { cleaningOf, notCleaned } from '../progress/index.js';

export default class Cancel extends BaseCommand<typeof Cancel> {
  static override summary = 'Cancel a job, and wait until its traces are removed.';
  static override description =
    'Transfers stop within seconds. Then the snapshot, the lease and the files of the export are removed; that goes on when\n' +
    'hyperctl is ended. Exit codes: 0 all is gone, 1 the job could not be cancelled, or something is left: the output says what.';
  static override examples = [
    '<%= config.bin %> cancel --job job-7k2m9x4qa3hd',
    '<%= config.bin %> cancel --vm production-db --detach',
  ];
  static override flags = {
    ...JOB_FLAGS,
    detach: Flags.boolean({ char: 'd', description: 'Do not wait for the removal.' }),
    ...GATEWAY_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    const client = this.client();
    const jobId = await findJob(client, this.flags);
    const { job: cancelled, already } = await cancel(client, jobId);
    if (!this.isQuiet) this.log(`Job ${jobId} ${already ? 'was cancelled before' : 'is cancelled'}.`);
    const job = this.flags.detach ? cancelled : await this.#cleaned(client, cancelled);
    if (job === undefined) {
      this.logToStderr(`The removal goes on. Look at it: hyperctl status --job ${jobId}`);
      return EXIT.interrupted;
    }
    const state = cleaningOf(job);
    if (this.isJson) this.printJson(job);
    else if (state === 'stopped' && job.cleanup !== null) this.logToStderr(`Left behind: ${notCleaned(job.cleanup)}.`);
    else if (!this.isQuiet) this.log(WORDS[state]);
    return state === 'stopped' ? EXIT.failed : EXIT.ok;
  }

  /** Undefined after Ctrl-C. */
  async #cleaned(client: GatewayClient, cancelled: JobDetail): Promise<JobDetail | undefined> {
    if (cleaningOf(cancelled) !== 'goes on') return cancelled;
    const line = liveLine(process.stderr, this.isQuiet);
    const interrupted = interruption();
    try {
      line.set('🧹 Removing what the export left: lease, snapshot, files...');
      for await (const job of poll(() => client.job(cancelled.job_id), { signal: interrupted.signal }))
        if (cleaningOf(job) !== 'goes on') return job;
      return undefined;
    } finally {
      line.clear();
      interrupted.release();
    }
  }
}

const WORDS = {
  none: 'There was nothing to remove.',
  done: 'Nothing of it is left behind.',
  'goes on': 'What its export left is being removed.',
  stopped: '',
} as const;

/** A second cancel waits for the removal that the first one asked for. */
async function cancel(client: GatewayClient, jobId: string): Promise<{ job: JobDetail; already: boolean }> {
  try {
    return { job: await client.cancel(jobId), already: false };
  } catch (error) {
    if (!(error instanceof GatewayProblem) || error.code !== 'STATE_CONFLICT') throw error;
    const job = await client.job(jobId);
    if (job.status !== 'cancelled') throw error;
    return { job, already: true };
  }
}
