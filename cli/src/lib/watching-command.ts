import type { Command } from '@oclif/core';
import type { ViewEvent } from '../progress/index.js';
import { BaseCommand } from './base-command.js';
import type { GatewayClient } from './client.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { watch } from './watch.js';

/** A command that shows a job until it ended. */
export abstract class WatchingCommand<T extends typeof Command> extends BaseCommand<T> {
  /** @param first shown before the first event of the job */
  protected async watchJob(client: GatewayClient, jobId: string, first?: ViewEvent): Promise<ExitCode> {
    const { settings, isQuiet: quiet } = this;
    const watched = await watch({ client, settings, jobId, first, quiet, stream: process.stdout });
    if (!watched.ended) {
      this.logToStderr(`\nThe job goes on. Follow it: hyperctl status --job ${jobId} --follow`);
      return EXIT.interrupted;
    }
    if (this.isJson) this.printJson(watched.job);
    else if (this.isQuiet && watched.exitCode !== EXIT.ok)
      this.logToStderr(`Error: ${watched.job.error ?? watched.job.status} (${jobId})`);
    return watched.exitCode;
  }
}
