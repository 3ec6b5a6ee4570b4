import { existsSync } from 'node:fs';
import { ConfigCommand } from '../../lib/config-command.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';

export default class ConfigPath extends ConfigCommand<typeof ConfigPath> {
  static override summary = 'Say where the configuration of hyperctl lies.';
  static override description =
    'That is hyper2kvm/config.yaml in $XDG_CONFIG_HOME or ~/.config, or the file that HYPERCTL_CONFIG names.';
  static override examples = ['<%= config.bin %> config path', '<%= config.bin %> config path --json'];

  protected work(): Promise<ExitCode> {
    const exists = existsSync(this.file);
    if (this.isJson) this.printJson({ path: this.file, exists });
    else {
      this.log(this.file);
      if (!exists) this.note('there is no such file yet; hyperctl config set makes it');
    }
    return Promise.resolve(EXIT.ok);
  }
}
