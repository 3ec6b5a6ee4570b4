import { Args } from '@oclif/core';
import { CONTEXT_FLAG } from '../../lib/base-command.js';
import { ConfigCommand, settingNamed } from '../../lib/config-command.js';
import { unsetValue } from '../../lib/config/edit.js';
import { noContext } from '../../lib/config/index.js';
import { CliError } from '../../lib/errors.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';

export default class ConfigUnset extends ConfigCommand<typeof ConfigUnset> {
  static override summary = 'Take one setting out of the configuration of hyperctl.';
  static override description = 'Also one that hyperctl does not know, such as one that was mistyped.';
  static override examples = [
    '<%= config.bin %> config unset vsphere.datacenter',
    '<%= config.bin %> config unset --context lab daemons.go.timeout',
  ];
  static override args = {
    key: Args.string({ description: 'Key of the setting, such as vsphere.server.', required: true, ignoreStdin: true }),
  };
  static override flags = { ...CONTEXT_FLAG };

  protected work(): Promise<ExitCode> {
    const { key } = this.args;
    const { context } = this.flags;
    if (context !== undefined && !this.loose().contexts.has(context)) throw noContext(context, this.loose());
    const at = [...(context === undefined ? [] : ['contexts', context]), ...key.split('.')];
    let wasSet = true;
    this.change((text) => {
      const without = unsetValue(text, at, context === undefined ? 0 : 2);
      wasSet = without !== undefined;
      return without ?? text;
    });
    if (!wasSet) {
      settingNamed(key);
      throw new CliError(`${key} is not set in ${context === undefined ? this.file : `context ${context}`}`, {
        advice: `where its value comes from: hyperctl config view --origin`,
      });
    }
    if (this.isJson) this.printJson({ file: this.file, context: context ?? null, key });
    else if (!this.isQuiet)
      this.log(`Took ${key} out of ${context === undefined ? '' : `context ${context} of `}${this.file}`);
    return Promise.resolve(EXIT.ok);
  }
}
