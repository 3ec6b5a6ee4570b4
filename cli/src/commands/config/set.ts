import path from 'node:path';
import { Args } from '@oclif/core';
import { CONTEXT_FLAG } from '../../lib/base-command.js';
import { ConfigCommand, settingNamed } from '../../lib/config-command.js';
import { setValue } from '../../lib/config/edit.js';
import { CONTEXT_NAME, FILE, type Value } from '../../lib/config/kinds.js';
import { noContext, type Setting } from '../../lib/config/index.js';
import { hasVariables } from '../../lib/config/variables.js';
import { UsageError } from '../../lib/errors.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { didYouMean, nearest } from '../../lib/near.js';
import { askSecret } from '../../lib/prompt.js';
import { readStdin } from '../../lib/stdin.js';

export default class ConfigSet extends ConfigCommand<typeof ConfigSet> {
  static override summary = 'Set one setting in the configuration of hyperctl.';
  static override description =
    'The value is checked; comments and layout of the file stay. With --context it is set in that context, which is made where\n' +
    'it is not there. "-" as the value reads it from standard input; a token without a value is asked for on a terminal.\n' +
    "'${NAME}' in a value stands for an environment variable.";
  static override examples = [
    '<%= config.bin %> config set vsphere.server vcenter.example.com',
    '<%= config.bin %> config set --context prod daemons.go.url https://hyper2kvm.example.com',
    '<%= config.bin %> config set --context prod token_file ~/.config/hyper2kvm/prod.token',
    "<%= config.bin %> config set vsphere.username '${USER}@vsphere.local'",
  ];
  static override args = {
    key: Args.string({ description: 'Key of the setting, such as vsphere.server.', required: true, ignoreStdin: true }),
    value: Args.string({ description: 'Its value; "-" reads it from standard input.', ignoreStdin: true }),
  };
  static override flags = { ...CONTEXT_FLAG };

  protected async work(): Promise<ExitCode> {
    const setting = settingNamed(this.args.key);
    const { key } = setting;
    const { context } = this.flags;
    if (context !== undefined) this.#checkContext(setting, context);
    const known = this.loose().contexts;
    const value = checked(setting, await this.#given(setting));
    if (key === 'current_context' && !known.has(String(value))) throw noContext(String(value), this.loose());
    const at = [...(context === undefined ? [] : ['contexts', context]), ...key.split('.')];
    this.change((text) => setValue(text, at, value));
    if (this.isJson)
      this.printJson({ file: this.file, context: context ?? null, key, ...(setting.secret ? {} : { value }) });
    else if (!this.isQuiet) {
      const where = context === undefined ? this.file : `context ${context} of ${this.file}`;
      this.log(setting.secret ? `Set ${key} in ${where}` : `Set ${key} to ${String(value)} in ${where}`);
    }
    if (context !== undefined && !known.has(context))
      this.note(`context ${context} is new${didYouMean(nearest(context, known.keys()))}; use it: --context ${context}`);
    this.tellOverruled(setting, context);
    return EXIT.ok;
  }

  #checkContext({ key, whole }: Setting, context: string): void {
    if (whole === true) throw new UsageError(`${key} is of the whole file, not of a context`, 'leave --context out');
    try {
      CONTEXT_NAME.read(context, true);
    } catch (error) {
      throw new UsageError(`--context: ${(error as Error).message}`);
    }
  }

  async #given({ key, secret }: Setting): Promise<string> {
    const { value } = this.args;
    if (value === '-')
      return readStdin()
        .toString('utf8')
        .replace(/\r?\n$/, '');
    if (value !== undefined) return value;
    if (secret === true && process.stdin.isTTY && process.stderr.isTTY) return askSecret(`${key}: `);
    throw new UsageError(`which value is ${key} to have?`, `hyperctl config set ${key} VALUE, or - for standard input`);
  }
}

/** @throws UsageError saying what is expected */
function checked({ key, kind, secret }: Setting, text: string): Value {
  if (hasVariables(text)) return text;
  // What is relative on the command line is so to another folder than in the file.
  if (kind === FILE && text !== '' && !/^~(\/|$)/.test(text)) return path.resolve(text);
  try {
    return kind.read(text, true);
  } catch (error) {
    const near = kind.choices === undefined ? '' : didYouMean(nearest(text, kind.choices));
    // Of an address a login is not repeated.
    const shown = secret === true || /:\/\/[^/?#]*@/.test(text) ? 'this value' : `"${text}"`;
    throw new UsageError(`${key}: ${shown} is not possible: ${(error as Error).message}${near}`);
  }
}
