import { Errors, Help, toConfiguredId, type Command, type Interfaces } from '@oclif/core';
import { heading, HyperctlCommandHelp } from './help/command-help.js';
import { COMMAND_GROUPS, DOCUMENTATION, EXIT_CODES, FIRST_EXAMPLES } from './help/groups.js';
import { columns, commandLines, indented, wrap } from './help/layout.js';
import { guardOutput, report, showingOf } from './lib/report-error.js';

type Row = readonly [name: string, text: string];

/** What `hyperctl --help`, `hyperctl help` and `hyperctl COMMAND --help` show. */
export default class HyperctlHelp extends Help {
  protected override CommandHelpClass = HyperctlCommandHelp;

  override async showHelp(argv: string[]): Promise<void> {
    guardOutput();
    const flag = argv.findIndex((word) => word.startsWith('-'));
    const words = flag === -1 ? argv : argv.slice(0, flag);
    // The longest part that is something: the word after it may be an argument.
    for (let count = words.length; count > 0; count -= 1) {
      const id = words.slice(0, count).join(':');
      const command = this.config.findCommand(id);
      if (command !== undefined) return this.showCommandHelp(command);
      const topic = this.config.findTopic(id);
      if (topic !== undefined && count === words.length) return this.showTopicHelp(topic);
    }
    if (words.length === 0) return this.showRootHelp();
    const { missingCommand } = await import('./lib/missing-command.js');
    throw new Errors.ExitError(await report(missingCommand(words.join(':'), [], this.config), showingOf(argv)));
  }

  protected override async showRootHelp(): Promise<void> {
    const rows = this.#rows();
    const grouped = COMMAND_GROUPS.map(([title, names]): [string, Row[]] => [
      title,
      names.flatMap((name) => rows.filter(([known]) => known === name)),
    ]);
    const listed = new Set(grouped.flatMap(([, own]) => own.map(([name]) => name)));
    const left = rows.filter(([name]) => !listed.has(name));
    this.#print('hyperctl moves virtual machines from vSphere, or from disk files, to KVM.', [
      ['USAGE', indented([`$ ${this.config.bin} COMMAND [FLAGS]`])],
      [
        'EXAMPLES',
        FIRST_EXAMPLES.flatMap(([what, command]) => [
          `  ${what}:`,
          ...indented(indented(commandLines(`$ ${command}`, this.#width - 4))),
        ]),
      ],
      ...[...grouped, ['MORE', left] as const].map(([title, own]): [string, string[]] => [
        title,
        columns(own, this.#width),
      ]),
      ['EXIT CODES', columns(EXIT_CODES, this.#width)],
      ['DOCUMENTATION', indented(wrap(DOCUMENTATION, this.#width - 2))],
    ]);
  }

  protected override async showTopicHelp(topic: Interfaces.Topic): Promise<void> {
    const name = toConfiguredId(topic.name, this.config);
    this.#print(topic.description ?? '', [
      ['USAGE', indented([`$ ${this.config.bin} ${name} COMMAND [FLAGS]`])],
      ['COMMANDS', columns(this.#beneath(topic.name), this.#width)],
      ['DOCUMENTATION', indented([`${this.config.bin} ${name} COMMAND --help`])],
    ]);
  }

  override async showCommandHelp(command: Command.Loadable): Promise<void> {
    const beneath = this.#beneath(command.id);
    this.#print(this.summary(command) ?? '', [['', [this.formatCommand(command)]]]);
    if (beneath.length > 0) this.#print('', [['COMMANDS', columns(beneath, this.#width)]]);
  }

  /** Unlike oclif's, this leaves the command's id as it is. */
  protected override formatCommand(command: Command.Loadable): string {
    return this.getCommandHelpClass(command).generate();
  }

  get #width(): number {
    return Math.min(this.opts.maxWidth, 100);
  }

  /** Commands and topics of the first level. */
  #rows(): Row[] {
    const commands = this.sortedCommands.filter(({ id }) => !id.includes(':'));
    const topics = this.config.topics.filter(({ name, hidden }) => !name.includes(':') && hidden !== true);
    const named = new Map<string, string>(commands.map((command) => [command.id, this.summary(command) ?? '']));
    // What a topic is says more than what its name alone lists.
    for (const { name, description } of topics)
      if (this.#beneath(name).length > 0) named.set(name, description ?? named.get(name) ?? '');
    return [...named];
  }

  #beneath(name: string): Row[] {
    return this.sortedCommands
      .filter(({ id }) => id.startsWith(`${name}:`))
      .map((command) => [toConfiguredId(command.id, this.config), this.summary(command) ?? '']);
  }

  #print(first: string, sections: readonly (readonly [string, readonly string[]])[]): void {
    const parts = sections
      .filter(([, lines]) => lines.length > 0)
      .map(([title, lines]) => [...(title === '' ? [] : [heading(title)]), ...lines].join('\n'));
    if (first !== '') this.log(`${wrap(first, this.#width).join('\n')}\n`);
    this.log(`${parts.join('\n\n')}\n`);
  }
}
