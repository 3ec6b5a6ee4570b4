import { Command, Flags, type Interfaces } from '@oclif/core';
import { localGateway, resolveHome, SYSTEM_HOME } from '../stack/index.js';
import { GatewayClient } from './client.js';
import { configPath, noConfig, originWord, readConfig, type ConfigFile } from './config/index.js';
import type { CliError } from './errors.js';
import type { ExitCode } from './exit-codes.js';
import { jsonText } from './format.js';
import { flushed, guardOutput, report, showingOf, toCliError } from './report-error.js';
import { settings, type FlagValues, type Settings } from './settings.js';
import { asciiMarks } from './marks.js';
import { startTrace, type CommandTrace } from './trace.js';
import { painter, type Paint } from './width.js';

const DEFAULT_URL = 'http://127.0.0.1:8080';

/** Flags of every command. */
const OUTPUT_FLAGS = {
  json: Flags.boolean({ description: 'Print one JSON document and nothing else.', helpGroup: 'OUTPUT' }),
  quiet: Flags.boolean({ char: 'q', description: 'Print errors only.', helpGroup: 'OUTPUT' }),
  'no-color': Flags.boolean({ description: 'No colours (also: NO_COLOR).', helpGroup: 'OUTPUT' }),
  debug: Flags.boolean({
    description: 'Show which configuration counts, and with an error where it came from (also: DEBUG=1).',
    helpGroup: 'OUTPUT',
  }),
};

/** A context of the configuration instead of the current one. */
export const CONTEXT_FLAG = {
  context: Flags.string({
    description: 'Context of the configuration, see "hyperctl config contexts" (also: HYPER2KVM_CONTEXT).',
    helpGroup: 'GATEWAY',
    helpValue: 'NAME',
  }),
};

/** Flags of commands that talk to the gateway. */
export const GATEWAY_FLAGS = {
  ...CONTEXT_FLAG,
  url: Flags.string({
    description:
      'Address of the gateway, or unix:/path of its socket [default: HYPER2KVM_URL, the config file, the local stack, http://127.0.0.1:8080].',
    helpGroup: 'GATEWAY',
  }),
  token: Flags.string({ description: 'Token for the gateway; better in HYPER2KVM_TOKEN.', helpGroup: 'GATEWAY' }),
};

type Parsed<T extends typeof Command> = Interfaces.InferredFlags<(typeof BaseCommand)['baseFlags'] & T['flags']>;

/** Flags, settings, trace and errors, the same for every command. */
export abstract class BaseCommand<T extends typeof Command> extends Command {
  static override baseFlags = OUTPUT_FLAGS;
  protected flags!: Parsed<T>;
  protected args!: Interfaces.InferredArgs<T['args']>;
  protected settings!: Settings;
  protected trace!: CommandTrace;
  #config = noConfig('');

  /** What the command does; its result is the exit code. */
  protected abstract work(): Promise<ExitCode>;

  override async init(): Promise<void> {
    guardOutput();
    await super.init();
    const { args, flags } = await this.parse({
      flags: this.ctor.flags,
      baseFlags: (super.ctor as typeof BaseCommand).baseFlags,
      args: this.ctor.args,
      strict: this.ctor.strict,
    });
    this.flags = flags as Parsed<T>;
    this.args = args as Interfaces.InferredArgs<T['args']>;
    const file = this.readConfig(configPath());
    this.#config = file;
    this.settings = this.settle(file);
    if (this.isDebug) for (const line of this.#decided()) this.logToStderr(`debug: ${line}`);
  }

  /** The user's configuration. Commands that mend one that is broken do without. @throws UsageError */
  protected readConfig(path: string): ConfigFile {
    return readConfig(path);
  }

  /** @throws UsageError where the context that is to be used is not there */
  protected settle(file: ConfigFile): Settings {
    return settings(this.flags, process.env, file);
  }

  override async run(): Promise<void> {
    this.trace = startTrace(this.id ?? 'command');
    let code: ExitCode;
    try {
      code = await this.work();
      await this.trace.end();
    } catch (error) {
      await this.trace.end(error);
      throw error;
    }
    await flushed();
    this.exit(code);
  }

  /** Settings without what the command line said: what a file that it names may overrule. */
  protected get ownSettings(): Settings {
    const { context } = this.flags as FlagValues;
    return settings({ context }, process.env, this.#config);
  }

  /** Cells of a line on standard output; undefined where it is no terminal, and lines may have any length. */
  protected get columns(): number | undefined {
    const { isTTY, columns } = process.stdout;
    return isTTY && columns > 0 ? columns : undefined;
  }

  /** True when only errors (or the one JSON document) are to be seen. */
  protected get isQuiet(): boolean {
    const { quiet, json } = this.flags as { quiet?: boolean; json?: boolean };
    return quiet === true || json === true;
  }

  protected get isJson(): boolean {
    return (this.flags as { json?: boolean }).json === true;
  }

  protected get isDebug(): boolean {
    return showingOf(this.argv).debug;
  }

  /** Colours for standard output, or none. */
  protected get paint(): Paint {
    return painter(this.settings.colorOn(process.stdout));
  }

  /** False where nothing may be drawn that is drawn over later: --quiet, --json, ui.show_progress. */
  protected get showsProgress(): boolean {
    return !this.isQuiet && this.settings.showProgress;
  }

  /** To standard error, unless --quiet or ui.log_level hides it. */
  protected note(text: string): void {
    if (!this.isQuiet && this.settings.logLevel !== 'error') this.logToStderr(`Note: ${text}`);
  }

  /** The same for what may do harm. */
  protected caution(text: string): void {
    if (!this.isQuiet && this.settings.logLevel !== 'error') this.logToStderr(`Warning: ${text}`);
  }

  /** Text for people has marks that the terminal can show. */
  override log(message = '', ...args: unknown[]): void {
    super.log(this.argv.includes('--json') ? message : asciiMarks(message), ...args);
  }

  override logToStderr(message = '', ...args: unknown[]): void {
    super.logToStderr(asciiMarks(message), ...args);
  }

  protected printJson(document: unknown): void {
    this.log(jsonText(document, 2));
  }

  /** Where the gateway is: as somebody said, else that of the local stack. */
  protected get gatewayUrl(): string {
    return this.settings.url ?? localGateway([...new Set([resolveHome(), SYSTEM_HOME])]) ?? DEFAULT_URL;
  }

  protected client(): GatewayClient {
    return new GatewayClient({
      url: this.gatewayUrl,
      token: this.settings.token,
      ca: this.settings.ca,
      timeoutMs: this.settings.timeoutMs,
      headers: (method) => this.trace.headers(method),
    });
  }

  /** Says what happened, why and what to try; never a stack trace, unless --debug asks for it. */
  override async catch(error: Error & { code?: string }): Promise<void> {
    // An exit code, --help.
    if (error.code === 'EEXIT') throw error;
    const { usageError } = await import('./usage-errors.js');
    const { id, flags, baseFlags } = this.ctor as typeof BaseCommand;
    const known = usageError(error, { id, flags: { ...baseFlags, ...flags } }) ?? toCliError(error);
    if (this.settings !== undefined)
      await (await import('./add-context.js')).addContext(known, this.settings, this.flags, () => this.client());
    // What was typed wrong has left no trace anywhere.
    if (known.code !== 'USAGE') known.traceId ??= this.trace?.traceId;
    const code = await report(known, showingOf(this.argv));
    if (!this.argv.includes('--json')) for (const text of this.#reasons(known)) this.logToStderr(`  note:  ${text}`);
    this.exit(code);
  }

  /** What was configured and left out may be what the gateway, or vCenter, missed. */
  #reasons({ code, message, why = '' }: CliError): string[] {
    const group = ['UNAUTHENTICATED', 'FORBIDDEN', 'GATEWAY_UNREACHABLE'].includes(code)
      ? 'gateway'
      : code.startsWith('VCENTER_') || /\bvcenter\.\w/.test(`${message} ${why}`)
        ? 'vcenter'
        : undefined;
    if (group === undefined || this.settings === undefined) return [];
    return this.settings.all
      .leftOut()
      .filter((one) => one.group === group)
      .map(({ text }) => text);
  }

  /** Which configuration counts. */
  #decided(): string[] {
    const { path, exists } = this.#config;
    const { context, contextOrigin } = this.settings.all;
    return [
      `configuration: ${path}${exists ? '' : ' (there is none)'}`,
      ...(context === undefined ? [] : [`context: ${context} (${originWord(contextOrigin)})`]),
      ...this.settings.notices,
    ];
  }
}
