import { readFileSync } from 'node:fs';
import type { SettingKey } from './config/table.js';
import { noConfig, parseConfig, type ConfigFile } from './config/read.js';
import { Resolution } from './config/resolve.js';
import type { LogLevel } from './config/kinds.js';
import { UsageError } from './errors.js';
import { unreadable } from './file-errors.js';
import { readSecretFile } from './secret-file.js';
import { stringify } from 'yaml';

/** What flags said; undefined where the user said nothing. */
export interface FlagValues {
  readonly context?: string | undefined;
  readonly url?: string | undefined;
  readonly token?: string | undefined;
  readonly vcenter?: string | undefined;
  readonly username?: string | undefined;
  readonly datacenter?: string | undefined;
  readonly 'ca-file'?: string | undefined;
  readonly thumbprint?: string | undefined;
  readonly insecure?: boolean | undefined;
  readonly 'fix-network'?: boolean | undefined;
  readonly 'skip-network-fix'?: boolean | undefined;
  readonly 'fix-fstab'?: boolean | undefined;
  readonly 'fix-grub'?: boolean | undefined;
  readonly 'output-dir'?: string | undefined;
  readonly notify?: string | undefined;
  readonly 'slack-webhook'?: string | undefined;
  readonly 'no-color'?: boolean | undefined;
  readonly 'no-start'?: boolean | undefined;
}

/** Settings as commands use them. Each is read when it is asked for, and may throw a UsageError about its value. */
export class Settings {
  /** The same by key, with origins. */
  readonly all: Resolution;

  /** @throws UsageError where there is no such context */
  constructor(
    flags: FlagValues,
    private readonly env: NodeJS.ProcessEnv,
    file: ConfigFile,
  ) {
    this.all = new Resolution({ flags: { ...flags }, env, file });
  }

  /** Of the gateway; undefined: nobody named one. */
  get url(): string | undefined {
    const socket = this.#text('daemons.python.socket');
    return socket === undefined ? this.#text('daemons.go.url') : `unix:${socket}`;
  }

  get token(): string | undefined {
    const file = this.#text('token_file');
    return file === undefined ? this.#text('token') : readSecretFile(file, 'token_file');
  }

  /** The CA of the gateway's certificate, as PEM. */
  get ca(): string | undefined {
    const file = this.#text('ca_file');
    return file === undefined ? undefined : readPem(file);
  }

  get timeoutMs(): number {
    const overSocket =
      this.#text('daemons.python.socket') === undefined ? undefined : this.#number('daemons.python.timeout');
    return (overSocket ?? this.#number('daemons.go.timeout') ?? 0) * 1000;
  }

  /** Whether a service of this machine that is stopped may be started. */
  get autostart(): boolean {
    return this.#flag('daemons.autostart') ?? true;
  }

  get vcenter() {
    return {
      server: this.#text('vsphere.server'),
      username: this.#text('vsphere.username'),
      datacenter: this.#text('vsphere.datacenter'),
      caFile: this.#text('vsphere.ca_file'),
      thumbprint: this.#text('vsphere.thumbprint'),
      insecure: this.#flag('vsphere.insecure'),
    };
  }

  get conversion() {
    return {
      fixNetwork: this.#flag('conversion.fix_network'),
      fixFstab: this.#flag('conversion.fix_fstab'),
      fixGrub: this.#flag('conversion.fix_grub'),
      outputDir: this.#text('conversion.output_dir'),
    };
  }

  get notifyEmail(): string | undefined {
    return this.#text('notifications.email');
  }

  get slackWebhook(): string | undefined {
    return this.#text('notifications.slack_webhook');
  }

  /** Colours are not unwanted; whether there are any is up to the stream, see `colorOn`. */
  get color(): boolean {
    return this.#flag('ui.color') ?? true;
  }

  /** Whether what is written to a stream is to be coloured. */
  colorOn(stream: { readonly isTTY?: boolean | undefined }): boolean {
    const { value, origin } = this.all.of('ui.color');
    return value === true && (stream.isTTY === true || origin?.name === 'FORCE_COLOR');
  }

  get showProgress(): boolean {
    return this.#flag('ui.show_progress') ?? true;
  }

  get logLevel(): LogLevel {
    return (this.#text('ui.log_level') ?? 'info') as LogLevel;
  }

  /**
   * What the user should know about the configuration. `config view` shows it, and --debug; not every command: who runs hundreds
   * of commands a day knows the own file, and a note that is always there is read no more.
   */
  get notices(): readonly string[] {
    const { idleSocket } = this.all;
    return [...(idleSocket === undefined ? [] : [idleSocket]), ...this.all.leftOut().map(({ text }) => text)];
  }

  #text(key: SettingKey): string | undefined {
    const { value } = this.all.of(key);
    return value === undefined ? undefined : String(value);
  }

  #number(key: SettingKey): number | undefined {
    const { value } = this.all.of(key);
    return value === undefined ? undefined : Number(value);
  }

  #flag(key: SettingKey): boolean | undefined {
    const { value } = this.all.of(key);
    return value === undefined ? undefined : value === true;
  }
}

/**
 * Flag > environment > context > file > default; see config/resolve.ts.
 * @param file left out: what flags and environment say alone; a context that they name is of a file, and says nothing then
 */
export const settings = (flags: FlagValues, env: NodeJS.ProcessEnv = {}, file?: ConfigFile): Settings =>
  file === undefined
    ? new Settings({ ...flags, context: undefined }, { ...env, HYPER2KVM_CONTEXT: undefined }, noConfig(''))
    : new Settings(flags, env, file);

/** A file that holds this tree. @throws UsageError */
export const configOf = (tree: unknown, path = 'config.yaml'): ConfigFile => parseConfig(path, stringify(tree));

function readPem(file: string): string {
  try {
    const pem = readFileSync(file, 'utf8');
    if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem;
  } catch (error) {
    throw unreadable('ca_file', file, error);
  }
  throw new UsageError(`ca_file: ${file} holds no certificate in PEM format`);
}
