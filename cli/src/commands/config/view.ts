import { Flags } from '@oclif/core';
import { BaseCommand, GATEWAY_FLAGS } from '../../lib/base-command.js';
import { configPath, originWord } from '../../lib/config/index.js';
import { asJson, asYaml, cells, view } from '../../lib/config/view.js';
import { existsSync } from 'node:fs';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { table } from '../../lib/table.js';
import { VCENTER_FLAGS } from '../../lib/vcenter.js';

const { 'password-file': _, ...OF_VCENTER } = VCENTER_FLAGS;

export default class ConfigView extends BaseCommand<typeof ConfigView> {
  static override summary = 'Show the settings that count now, and with --origin where each comes from.';
  static override description =
    'A flag counts before the environment, the environment before the context, the context before the rest of the file, the\n' +
    'file before the default. Give the flags of another command to see what would count there. Secrets are not shown.';
  static override examples = [
    '<%= config.bin %> config view',
    '<%= config.bin %> config view --origin',
    '<%= config.bin %> config view --origin --vcenter vcenter2.example.com',
    '<%= config.bin %> config view --json | jq -r \'.settings["daemons.go.url"].value\'',
  ];
  static override flags = {
    origin: Flags.boolean({ description: 'Say where each value comes from.' }),
    ...OF_VCENTER,
    ...GATEWAY_FLAGS,
  };

  protected work(): Promise<ExitCode> {
    const file = configPath();
    const { all, notices } = this.settings;
    const rows = view(all, this.#gateway());
    const context = all.context === undefined ? undefined : `${all.context} (${originWord(all.contextOrigin)})`;
    if (this.isJson) {
      this.printJson({
        file,
        exists: existsSync(file),
        context: all.context ?? null,
        settings: asJson(rows),
        notices,
      });
      return Promise.resolve(EXIT.ok);
    }
    const head = `${file}${existsSync(file) ? '' : ' (not there)'}${context === undefined ? '' : `, context ${context}`}`;
    this.log(this.paint('dim', `# ${head}`));
    if (this.flags.origin) this.log(table(['KEY', 'VALUE', 'FROM'], rows.map(cells), this.columns).join('\n'));
    else this.log(asYaml(rows));
    for (const notice of notices) this.note(notice);
    return Promise.resolve(EXIT.ok);
  }

  /** Undefined variables are told where they stand. */
  #gateway(): string {
    try {
      return this.gatewayUrl;
    } catch {
      return '';
    }
  }
}
