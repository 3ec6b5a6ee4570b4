import { Command, Flags, type Interfaces } from '@oclif/core';
import { localGateway, resolveHome, SYSTEM_HOME } from '../stack/index.js';
import { GatewayClient } from './client.js';
import type { ExitCode } from './exit-codes.js';
import { flushed, guardOutput, report, showingOf, toCliError } from './report-error.js';
import { configPath, readConfigFile, settings, type Settings } from './settings.js';
import { startTrace, type CommandTrace } from './trace.js';

const DEFAULT_URL = 'http://127.0.0.1:8080';

/** Flags of every command. */
const OUTPUT_FLAGS = {
  json: Flags.boolean({ description: 'Print one JSON document and nothing else.', helpGroup: 'OUTPUT' }),
  quiet: Flags.boolean({ char: 'q', description: 'Print errors only.', helpGroup: 'OUTPUT' }),
  'no-color': Flags.boolean({ description: 'No colours (also: NO_COLOR).', helpGroup: 'OUTPUT' }),
  debug: Flags.boolean({ description: 'With an error, show where it came from (also: DEBUG=1).', helpGroup: 'OUTPUT' }),
};

/** Flags of commands that talk to the gateway. */
export const GATEWAY_FLAGS = {
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
    const file = configPath();
    this.settings = settings(this.flags, process.env, readConfigFile(file), file);
    if (!this.isQuiet) for (const notice of this.settings.notices) this.logToStderr(`Note: ${notice}`);
  }

  override async run(): Promise<void> {
    this.trace = await startTrace(this.id ?? 'command');
    let code: ExitCode;
    try {
      code = await this.trace.run(() => this.work());
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
    const file = configPath();
    return settings({}, process.env, readConfigFile(file), file);
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

  protected printJson(document: unknown): void {
    this.log(JSON.stringify(document, undefined, 2));
  }

  protected client(): GatewayClient {
    return new GatewayClient({
      url: this.settings.url ?? localGateway([...new Set([resolveHome(), SYSTEM_HOME])]) ?? DEFAULT_URL,
      token: this.settings.token,
      timeoutMs: this.settings.timeoutMs,
      headers: () => this.trace.headers(),
    });
  }

  /** Says what happened, why and what to try; never a stack trace, unless --debug asks for it. */
  override async catch(error: Error & { code?: string }): Promise<void> {
    // An exit code, --help.
    if (error.code === 'EEXIT') throw error;
    const { usageError } = await import('./usage-errors.js');
    const { id, flags, baseFlags } = this.ctor as typeof BaseCommand;
    const known = usageError(error, { id, flags: { ...baseFlags, ...flags } }) ?? toCliError(error);
    // What was typed wrong has left no trace anywhere.
    if (known.code !== 'USAGE') known.traceId ??= this.trace?.traceId;
    this.exit(await report(known, showingOf(this.argv)));
  }
}
