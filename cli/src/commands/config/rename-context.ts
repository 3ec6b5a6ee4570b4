import { Args } from '@oclif/core';
import { ConfigCommand } from '../../lib/config-command.js';
import { renameKey, setValue } from '../../lib/config/edit.js';
import { CONTEXT_NAME } from '../../lib/config/kinds.js';
import { noContext } from '../../lib/config/index.js';
import { UsageError } from '../../lib/errors.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';

export default class ConfigRenameContext extends ConfigCommand<typeof ConfigRenameContext> {
  static override summary = 'Give a context another name.';
  static override description = 'All keys of the context keep their values; where it is the current one, it stays so.';
  static override examples = ['<%= config.bin %> config rename-context lab test-lab'];
  static override args = {
    name: Args.string({ description: 'Name of the context.', required: true, ignoreStdin: true }),
    'new-name': Args.string({ description: 'Its name from now on.', required: true, ignoreStdin: true }),
  };

  protected work(): Promise<ExitCode> {
    const { name, 'new-name': newName } = this.args;
    const file = this.loose();
    if (!file.contexts.has(name)) throw noContext(name, file);
    if (file.contexts.has(newName)) throw new UsageError(`there is a context ${newName} already`);
    try {
      CONTEXT_NAME.read(newName, true);
    } catch (error) {
      throw new UsageError((error as Error).message);
    }
    const isCurrent = file.common.get('current_context') === name;
    this.change((text) => {
      const renamed = renameKey(text, ['contexts', name], newName);
      return isCurrent ? setValue(renamed, ['current_context'], newName) : renamed;
    });
    if (this.isJson) this.printJson({ file: this.file, context: newName });
    else if (!this.isQuiet) this.log(`Context ${name} is called ${newName} now`);
    return Promise.resolve(EXIT.ok);
  }
}
