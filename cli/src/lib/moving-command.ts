import { Flags, type Command } from '@oclif/core';
import { LANES } from '@hyper2kvm/contracts';
import { batchName } from './batch/draw.js';
import { readPlan } from './batch/read.js';
import { batchBody, needsVcenter, vmsOf, type BatchFlags } from './batch/request.js';
import { concernLines } from './concerns.js';
import type { GatewayClient } from './client.js';
import { convertBody } from './convert-request.js';
import { UsageError } from './errors.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { confirmPower } from './export-options.js';
import { plural, printable } from './format.js';
import { readLuksKeys, type LuksKeys } from './luks-keys.js';
import { chooseSource, SOURCE_FLAGS, type SourceFlags } from './local-source.js';
import { originOf } from './origin.js';
import { preflight } from './preflight.js';
import { SCHEDULE_FLAGS } from './schedule-options.js';
import { withSpinner } from './spinner.js';
import { withPassword } from './vcenter.js';
import { WatchingCommand } from './watching-command.js';
import { fullTime } from './when.js';
import { painter } from './width.js';

/** What is moved: one VM, or many; when, and who hears of it. */
export const MOVING_FLAGS = {
  ...SOURCE_FLAGS,
  batch: Flags.string({
    helpGroup: 'BATCH',
    helpValue: 'FILE',
    description: 'Many VMs: a text file of names, one a line, or a manifest in YAML; "-" is standard input.',
  }),
  parallel: Flags.integer({
    helpGroup: 'BATCH',
    min: 1,
    max: 10_000,
    dependsOn: ['batch'],
    description: 'Most VMs of the batch under way at a time.',
  }),
  'stop-after': Flags.integer({
    helpGroup: 'BATCH',
    min: 1,
    max: 10_000,
    dependsOn: ['batch'],
    description: 'Begin nothing new after so many failed VMs.',
  }),
  'batch-name': Flags.string({ helpGroup: 'BATCH', dependsOn: ['batch'], description: 'Name of the batch.' }),
  ...SCHEDULE_FLAGS,
  priority: Flags.option({ options: LANES })({ description: 'Lane in which the job waits [default: normal].' }),
  tags: Flags.string({ description: 'Tags of the job, separated by commas.' }),
  notify: Flags.string({ description: 'E-mail address that hears of the end.' }),
  'slack-webhook': Flags.string({
    helpValue: 'URL',
    description:
      'Incoming webhook of Slack that hears of the end. Other users of this machine see it in the command line: better in HYPER2KVM_SLACK_WEBHOOK or notifications.slack_webhook.',
  }),
  detach: Flags.boolean({ char: 'd', description: 'Only start it.' }),
  'no-start': Flags.boolean({
    description:
      'Start no service that is stopped on this machine (also: daemons.autostart: false in the configuration).',
  }),
};

/** What those flags said. */
export interface MovingFlags extends BatchFlags, SourceFlags {
  readonly batch?: string | undefined;
  readonly detach: boolean;
  readonly yes: boolean;
  readonly 'luks-key'?: readonly string[] | undefined;
  readonly 'password-file'?: string | undefined;
}

/** Flags that speak of one VM. */
const OF_ONE = ['vm', 'disk', 'ova', 'name', 'format', 'checksum', 'cpus', 'memory', 'firmware'] as const;

/** A command that moves one VM or many. */
export abstract class MovingCommand<T extends typeof Command> extends WatchingCommand<T> {
  /** @param what `export`: the jobs rest when their disks are there */
  protected async move(flags: MovingFlags, what: 'convert' | 'export'): Promise<ExitCode> {
    if (flags.batch === undefined) return this.#one(flags, what);
    const beside = OF_ONE.find((name) => flags[name] !== undefined);
    if (beside !== undefined)
      throw new UsageError(`--${beside} and --batch do not go together`, 'what is of one VM stands in the manifest');
    return this.#many(flags, flags.batch, what);
  }

  async #one(flags: MovingFlags, what: 'convert' | 'export'): Promise<ExitCode> {
    const chosen = chooseSource(flags, process.cwd());
    const { keys } = this.readKeys(flags['luks-key']);
    const body = convertBody(chosen, flags, this.settings, keys, what);
    const client = await this.#ready(what);
    await confirmPower(chosen.vmName, flags['source-power'], flags.yes);
    if (chosen.source === undefined) body.vcenter = await withPassword(body.vcenter, this.#password(flags));
    // vCenter is asked for the VM meanwhile, and a converter for the target.
    const asked = (): string => `Asking for ${printable(chosen.vmName)}...`;
    const accepted = await withSpinner(process.stdout, !this.showsProgress, asked, () =>
      what === 'convert' ? client.convert(body) : client.export(body),
    );
    const jobId = accepted.job_id;
    const starts = this.#starts(body.options?.not_before, body.options?.window);
    if (flags.detach) {
      if (this.isJson) this.printJson(await client.job(jobId));
      else if (!this.isQuiet)
        this.log(
          [
            `Job ID: ${jobId}`,
            ...(starts.length === 0 ? ['Status: Export started...'] : starts),
            `Follow progress: hyperctl status --job ${jobId} --follow`,
            ...concernLines(accepted.concerns ?? [], painter(this.settings.colorOn(process.stdout))),
          ].join('\n'),
        );
      return EXIT.ok;
    }
    if (!this.isQuiet && starts.length > 0) this.log(starts.join('\n'));
    const origin = originOf(chosen.source, this.settings.vcenter.server);
    return this.watchJob(client, jobId, { type: 'accepted', accepted, origin, exportOnly: what === 'export' });
  }

  async #many(flags: MovingFlags, file: string, what: 'convert' | 'export'): Promise<ExitCode> {
    const { keys } = this.readKeys(flags['luks-key']);
    const plan = readPlan(file, (text) => this.caution(text));
    const body = batchBody({ plan, flags, own: this.ownSettings, keys, convert: what === 'convert' });
    const client = await this.#ready(what);
    const vms = plural(vmsOf(body).length, 'VM');
    await confirmPower(vms, body.options?.source_power, flags.yes);
    if (needsVcenter(body)) body.vcenter = await withPassword(body.vcenter, this.#password(flags));
    const accepted = await client.batches.create(body);
    const id = accepted.batch_id;
    const starts = this.#starts(body.options?.not_before, body.options?.window);
    if (flags.detach) {
      if (this.isJson) this.printJson(accepted);
      else if (!this.isQuiet)
        this.log(
          [
            `Batch ID: ${id}`,
            `${batchName(accepted)}: ${vms}`,
            ...starts,
            `Watch it: hyperctl batches watch ${id}`,
          ].join('\n'),
        );
      return EXIT.ok;
    }
    if (!this.isQuiet && starts.length > 0) this.log(starts.join('\n'));
    return this.watchBatch(client, id, true);
  }

  /** The gateway, when it and the workers are there; what is stopped on this machine is started. */
  #ready(what: 'convert' | 'export'): Promise<GatewayClient> {
    const { quiet } = this.flags as { quiet?: boolean };
    return preflight({
      client: () => this.client(),
      url: this.settings.url,
      autostart: this.settings.autostart,
      what,
      say: (text) => {
        if (quiet !== true) this.logToStderr(text);
      },
      warn: (text) => this.caution(text),
    });
  }

  protected readKeys(files: readonly string[] | undefined): LuksKeys {
    const read = readLuksKeys(files ?? [], process.env);
    for (const warning of read.warnings) this.caution(warning);
    return read;
  }

  #password(flags: MovingFlags): { file: string | undefined; quiet: boolean } {
    return { file: flags['password-file'], quiet: this.isQuiet };
  }

  /** A time that was given in short is shown back in full. */
  #starts(at: string | undefined, window: string | undefined): string[] {
    return [
      ...(at === undefined ? [] : [`Starts: not before ${fullTime(new Date(at), new Date())}`]),
      ...(window === undefined ? [] : [`Starts: in the window ${window}`]),
    ];
  }
}
