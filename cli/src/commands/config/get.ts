import { Args } from '@oclif/core';
import { CONTEXT_FLAG } from '../../lib/base-command.js';
import { settingNamed } from '../../lib/config-command.js';
import { asJson, view } from '../../lib/config/view.js';
import { originWord } from '../../lib/config/index.js';
import { CliError } from '../../lib/errors.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { BaseCommand } from '../../lib/base-command.js';

export default class ConfigGet extends BaseCommand<typeof ConfigGet> {
  static override summary = 'Print the value of one setting that counts now.';
  static override description =
    'Environment, context and file are taken into account. Secrets are not shown.\n' +
    'Exit codes: 0 it has a value, 1 it has none, or is a secret, 2 there is no such key.';
  static override examples = [
    '<%= config.bin %> config get vsphere.server',
    '<%= config.bin %> config get daemons.go.url --json',
  ];
  static override args = {
    key: Args.string({ description: 'Key of the setting, such as vsphere.server.', required: true, ignoreStdin: true }),
  };
  static override flags = { ...CONTEXT_FLAG };

  protected work(): Promise<ExitCode> {
    const { key } = settingNamed(this.args.key);
    const row = view(this.settings.all, this.gatewayUrl).find((one) => one.key === key);
    if (row === undefined) throw new Error(`no row for ${key}`);
    if (this.isJson) {
      this.printJson({ key, ...(asJson([row])[key] as object) });
      return Promise.resolve(row.value === undefined ? EXIT.failed : EXIT.ok);
    }
    if (row.problem !== undefined) throw new CliError(row.problem);
    if (row.value === undefined) {
      const otherwise = row.otherwise === undefined ? '' : `; default: ${row.otherwise.replaceAll('`', '')}`;
      throw new CliError(`${key} is not set${otherwise}`, { advice: `hyperctl config set ${key} VALUE` });
    }
    if (row.secret)
      throw new CliError(`${key} is a secret and not shown`, { why: `it is set by: ${originWord(row.origin)}` });
    this.log(String(row.value));
    return Promise.resolve(EXIT.ok);
  }
}
