import { Args } from '@oclif/core';
import { ConfigCommand, settingNamed } from '../../lib/config-command.js';
import { setValue } from '../../lib/config/edit.js';
import { noContext } from '../../lib/config/index.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';

export default class ConfigUseContext extends ConfigCommand<typeof ConfigUseContext> {
  static override summary = 'Choose the context that counts from now on.';
  static override description =
    'For one command, give it --context NAME instead; for a shell, set HYPER2KVM_CONTEXT. "config unset current_context"\n' +
    'goes back to none.';
  static override examples = ['<%= config.bin %> config use-context prod'];
  static override args = {
    name: Args.string({ description: 'Name of the context.', required: true, ignoreStdin: true }),
  };

  protected work(): Promise<ExitCode> {
    const { name } = this.args;
    const file = this.loose();
    if (!file.contexts.has(name)) throw noContext(name, file);
    this.change((text) => setValue(text, ['current_context'], name));
    if (this.isJson) this.printJson({ file: this.file, current_context: name });
    else if (!this.isQuiet) this.log(`Switched to context ${name}`);
    this.tellOverruled(settingNamed('current_context'), undefined);
    return Promise.resolve(EXIT.ok);
  }
}
