import { Args } from '@oclif/core';
import { ConfigCommand } from '../../lib/config-command.js';
import { unsetValue } from '../../lib/config/edit.js';
import { noContext } from '../../lib/config/index.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';

export default class ConfigDeleteContext extends ConfigCommand<typeof ConfigDeleteContext> {
  static override summary = 'Take a context out of the configuration.';
  static override description = 'Where it is the current one, none is afterwards. Files that it names stay.';
  static override examples = ['<%= config.bin %> config delete-context lab'];
  static override args = {
    name: Args.string({ description: 'Name of the context.', required: true, ignoreStdin: true }),
  };

  protected work(): Promise<ExitCode> {
    const { name } = this.args;
    const file = this.loose();
    if (!file.contexts.has(name)) throw noContext(name, file);
    const isCurrent = file.common.get('current_context') === name;
    this.change((text) => {
      const without = unsetValue(text, ['contexts', name]) ?? text;
      return isCurrent ? (unsetValue(without, ['current_context']) ?? without) : without;
    });
    if (this.isJson) this.printJson({ file: this.file, context: name });
    else if (!this.isQuiet) this.log(`Deleted context ${name}${isCurrent ? ', which was the current one' : ''}`);
    return Promise.resolve(EXIT.ok);
  }
}
