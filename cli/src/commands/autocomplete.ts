import { Args } from '@oclif/core';
import path from 'node:path';
import { SCRIPTS, SHELLS, type Shell } from '../completion/index.js';
import { BaseCommand } from '../lib/base-command.js';
import { UsageError } from '../lib/errors.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { noSuchValue } from '../lib/usage-errors.js';

/** What makes it last, a line for each shell. */
const LINES: Readonly<Record<Shell, string>> = {
  bash: "echo 'source <(hyperctl autocomplete bash)' >> ~/.bashrc",
  zsh: "echo 'source <(hyperctl autocomplete zsh)' >> ~/.zshrc",
  fish: 'hyperctl autocomplete fish > ~/.config/fish/completions/hyperctl.fish',
};

export default class Autocomplete extends BaseCommand<typeof Autocomplete> {
  static override summary = 'Print the completion script of a shell.';
  static override description =
    'With it, <Tab> completes commands, flags and their values, among them what the gateway knows: jobs (newest first), batches,\n' +
    'vCenter connections, workers. A gateway that does not answer within a second\n(HYPERCTL_COMPLETION_TIMEOUT, in seconds) is left out.\n\n' +
    `To have it in every new shell:\n\n${SHELLS.map((shell) => `  ${LINES[shell]}`).join('\n\n')}`;
  static override examples = SHELLS.map((shell) => `<%= config.bin %> autocomplete ${shell}`);
  static override args = {
    shell: Args.string({ description: `One of ${SHELLS.join(', ')}.`, ignoreStdin: true }),
  };

  protected async work(): Promise<ExitCode> {
    const { shell: name } = this.args;
    const own = path.basename(process.env['SHELL'] ?? '');
    const shell = SHELLS.find((one) => one === name);
    if (name === undefined) {
      const one = SHELLS.find((known) => known === own) ?? 'bash';
      throw new UsageError('of which shell?', `one of ${SHELLS.join(', ')}; for yours: ${LINES[one]}`);
    }
    if (shell === undefined) throw noSuchValue('shell', name, SHELLS);
    if (this.isJson) this.printJson({ shell, script: SCRIPTS[shell] });
    else if (!this.isQuiet) {
      process.stdout.write(SCRIPTS[shell]);
      if (process.stdout.isTTY) this.note(`this is a script; to have it in every new shell: ${LINES[shell]}`);
    }
    return EXIT.ok;
  }
}
