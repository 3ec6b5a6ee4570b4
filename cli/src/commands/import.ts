import { Flags } from '@oclif/core';
import type { Import as ImportState } from '@hyper2kvm/contracts';
import { BaseCommand, GATEWAY_FLAGS } from '../lib/base-command.js';
import type { GatewayClient } from '../lib/client.js';
import { CliError } from '../lib/errors.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { findJob, JOB_FLAGS, traceOf } from '../lib/find-job.js';
import { printable, shellQuote } from '../lib/format.js';
import { given } from '../lib/given.js';
import { liveLine } from '../lib/live-line.js';
import { interruption, poll } from '../lib/poll.js';
import { painter } from '../lib/width.js';

export default class Import extends BaseCommand<typeof Import> {
  static override summary = "Define the domain of a job's result in libvirt.";
  static override description =
    'A domain that is there already is left alone: the same one is fine, another of this name is an error.\n' +
    'Exit codes: 0 it is defined, 1 it could not be.';
  static override examples = [
    '<%= config.bin %> import --job job-7k2m9x4qa3hd',
    '<%= config.bin %> import --vm production-db --target kvm1 --start',
    '<%= config.bin %> import --job job-7k2m9x4qa3hd --json',
  ];
  static override flags = {
    ...JOB_FLAGS,
    target: Flags.string({
      description: "libvirt host of the gateway's configuration [default: the job's, else the converter's own].",
    }),
    start: Flags.boolean({ description: 'Start it there.' }),
    detach: Flags.boolean({ char: 'd', description: 'Only ask for it.' }),
    ...GATEWAY_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    const client = this.client();
    const jobId = await findJob(client, this.flags);
    const first = await client.startImport(jobId, {
      ...given('target', this.flags.target),
      ...given('start', this.flags.start),
    });
    if (this.flags.detach) {
      if (this.isJson) this.printJson(first);
      else if (!this.isQuiet) this.log(`Asked for. See the result: hyperctl status --job ${jobId}`);
      return EXIT.ok;
    }
    const ended = isEnded(first) ? first : await this.#end(client, jobId);
    if (ended === undefined) {
      this.logToStderr(`The import goes on. See the result: hyperctl status --job ${jobId}`);
      return EXIT.interrupted;
    }
    return this.#tell(client, ended, jobId);
  }

  /** Undefined after Ctrl-C. */
  async #end(client: GatewayClient, jobId: string): Promise<ImportState | undefined> {
    const line = liveLine(process.stdout, !this.showsProgress);
    const interrupted = interruption();
    try {
      for await (const { import: now } of poll(() => client.job(jobId), { signal: interrupted.signal })) {
        if (now !== null && isEnded(now)) return now;
        line.set(now?.status === 'in_progress' ? '🏠 Importing to libvirt' : '🏠 Waiting for a converter');
      }
      return undefined;
    } finally {
      line.clear();
      interrupted.release();
    }
  }

  async #tell(client: GatewayClient, ended: ImportState, jobId: string): Promise<ExitCode> {
    const { report, failure } = ended;
    if (this.isJson) this.printJson(ended);
    else if (report !== null) {
      const paint = painter(this.settings.colorOn(process.stdout));
      if (!this.isQuiet) {
        this.log(paint('green', `✅ ${importedWords(report)}`));
        for (const concern of report.concerns) this.log(paint('yellow', `⚠️  ${printable(concern)}`));
        if (!report.started)
          this.log(
            `Start it: virsh --connect ${shellQuote(report.libvirt_uri)} start ${shellQuote(report.libvirt_domain)}`,
          );
      }
    } else {
      throw new CliError(failure?.message ?? 'the import ended without a report', {
        code: failure?.code ?? 'FAILED',
        advice: failure?.advice.replaceAll('<id>', jobId),
        jobId,
        traceId: await traceOf(client, jobId),
      });
    }
    return report === null ? EXIT.failed : EXIT.ok;
  }
}

function importedWords(report: NonNullable<ImportState['report']>): string {
  const { libvirt_domain: name, libvirt_uri: uri, defined, started } = report;
  const what = defined ? 'is defined' : 'was defined before, and is as it should be';
  return `${printable(name)} ${what} (${printable(uri)})${started ? ' and started' : ''}`;
}

const isEnded = ({ status }: ImportState): boolean => status === 'completed' || status === 'failed';
