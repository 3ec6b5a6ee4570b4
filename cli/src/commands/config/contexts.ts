import { Flags } from '@oclif/core';
import { ConfigCommand } from '../../lib/config-command.js';
import { Resolution, type ConfigFile, type SettingKey } from '../../lib/config/index.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { printable } from '../../lib/format.js';
import { table } from '../../lib/table.js';

export default class ConfigContexts extends ConfigCommand<typeof ConfigContexts> {
  static override summary = 'List the contexts: one for each gateway that is used.';
  static override description =
    'The current one is marked. "config set --context NAME" makes one. With --quiet the output is one name a line.';
  static override examples = ['<%= config.bin %> config contexts', '<%= config.bin %> config contexts --quiet'];
  static override hiddenAliases = ['config:get-contexts'];
  static override flags = {
    quiet: Flags.boolean({ char: 'q', description: 'Print names alone, one a line.', helpGroup: 'OUTPUT' }),
  };

  protected work(): Promise<ExitCode> {
    const file = this.loose();
    const named = process.env['HYPER2KVM_CONTEXT'];
    const current = named === undefined || named === '' ? file.common.get('current_context') : named;
    const contexts = [...file.contexts.keys()].map((name) => ({
      name,
      current: name === current,
      gateway: of(name, 'daemons.go.url', file) ?? of(name, 'daemons.python.socket', file),
      vcenter: of(name, 'vsphere.server', file),
    }));
    if (this.isJson) this.printJson({ file: this.file, current_context: current ?? null, contexts });
    else if (this.flags.quiet) for (const { name } of contexts) this.log(name);
    else if (contexts.length === 0)
      this.log(
        'No contexts. Make one: hyperctl config set --context prod daemons.go.url https://hyper2kvm.example.com',
      );
    else {
      const rows = contexts.map((one) => [
        one.current ? '*' : '',
        one.name,
        printable(one.gateway ?? '-'),
        printable(one.vcenter ?? '-'),
      ]);
      this.log(table(['', 'NAME', 'GATEWAY', 'VCENTER'], rows, this.columns).join('\n'));
    }
    if (!this.isQuiet && current !== undefined && !contexts.some((one) => one.current))
      this.note(`the current context ${String(current)} is not among them`);
    return Promise.resolve(EXIT.ok);
  }
}

/** As the context alone has it, with the common part of the file below. */
function of(context: string, key: SettingKey, file: ConfigFile): string | null {
  try {
    const { value } = new Resolution({ flags: { context }, env: onlyVariables(), file }).of(key);
    return value === undefined ? null : String(value);
  } catch (error) {
    return `(${(error as Error).message.replace(/^.*: /, '')})`;
  }
}

/** The environment for `${VAR}` alone: what it says of settings is of no context. */
const onlyVariables = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(HYPER2KVM|VSPHERE)_/.test(name)));
