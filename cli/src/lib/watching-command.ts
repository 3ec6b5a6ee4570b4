import type { JobDetail } from '@hyper2kvm/contracts';
import type { Command } from '@oclif/core';
import type { ViewEvent } from '../progress/index.js';
import { BaseCommand } from './base-command.js';
import { watchBatch } from './batch/watch.js';
import { totalsWord } from './batch/view.js';
import type { GatewayClient } from './client.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { watch } from './watch.js';

/** What is said at Ctrl-C. */
const goesOn = (jobId: string): string[] => [
  'The job goes on without you watching.',
  `  Follow it: hyperctl status --job ${jobId} --follow`,
  `  Cancel it: hyperctl cancel --job ${jobId}`,
];

const traceWord = ({ trace_id: trace }: JobDetail): string => (trace === null ? '' : `, trace ${trace}`);

/** A command that shows a job or a batch until it ended. */
export abstract class WatchingCommand<T extends typeof Command> extends BaseCommand<T> {
  /** @param first shown before the first event of the job */
  protected async watchJob(client: GatewayClient, jobId: string, first?: ViewEvent): Promise<ExitCode> {
    const { settings, isQuiet: quiet } = this;
    const watched = await this.trace.follow({ 'job.id': jobId }, () =>
      watch({ client, settings, jobId, first, quiet, stream: process.stdout }),
    );
    if (!watched.ended) {
      this.logToStderr(`\n${goesOn(jobId).join('\n')}`);
      return EXIT.interrupted;
    }
    if (this.isJson) this.printJson(watched.job);
    else if (this.isQuiet && watched.exitCode !== EXIT.ok)
      this.logToStderr(`Error: ${watched.job.error ?? watched.job.status} (${jobId}${traceWord(watched.job)})`);
    return watched.exitCode;
  }

  /** @param fresh it was made just now: all that happened is told */
  protected async watchBatch(client: GatewayClient, batchId: string, fresh = false): Promise<ExitCode> {
    const { settings, isQuiet: quiet } = this;
    const watched = await this.trace.follow({ 'batch.id': batchId }, () =>
      watchBatch({ client, settings, batchId, fresh, quiet, stream: process.stdout }),
    );
    if (!watched.ended) {
      this.logToStderr(`\nThe batch goes on. Watch it: hyperctl batches watch ${batchId}`);
      return EXIT.interrupted;
    }
    if (this.isJson) this.printJson(await client.batches.report(batchId));
    else if (this.isQuiet && watched.exitCode !== EXIT.ok)
      this.logToStderr(`Error: batch ${batchId} ${watched.detail.status}: ${totalsWord(watched.detail.totals)}`);
    return watched.exitCode;
  }
}
