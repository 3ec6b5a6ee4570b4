import { Args, Command, loadHelpClass } from '@oclif/core';

/** No other command's base: it has to work also where the configuration is broken. */
export default class HelpCommand extends Command {
  static override summary = 'Show what there is, or how a command is used.';
  static override description =
    'The same as "hyperctl COMMAND --help". Without a command: all commands, exit codes, and where the documentation is.';
  static override examples = [
    '<%= config.bin %> help',
    '<%= config.bin %> help convert',
    '<%= config.bin %> help batches show',
  ];
  static override args = {
    command: Args.string({ description: 'The words of the command.', ignoreStdin: true }),
  };
  static override strict = false;

  override async run(): Promise<void> {
    // They are words and flags of whatever is asked about; oclif would warn developers that nobody has parsed them.
    this.parsed = true;
    const Help = await loadHelpClass(this.config);
    await new Help(this.config, this.config.pjson.oclif.helpOptions).showHelp(this.argv);
  }
}
