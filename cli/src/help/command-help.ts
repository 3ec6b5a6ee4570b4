import { CommandHelp, toConfiguredId, ux, type Command } from '@oclif/core';
import { flagGroupPlace } from './groups.js';
import { columns, commandLines, indented, wrap } from './layout.js';

type Flag = Command.Flag.Cached;

export const heading = (title: string): string => ux.colorize('bold', title);

/** The help of one command: what it is for and how it is used before the list of its flags, the flags of all commands last. */
export class HyperctlCommandHelp extends CommandHelp {
  override generate(): string {
    const { description, examples, args, flags } = this.command;
    const named = Object.entries(flags).map(([name, flag]) => Object.assign(flag, { name }));
    const sections: [string, string[]][] = [
      ['USAGE', indented(commandLines(this.#usage(named), this.#width - 2))],
      ['DESCRIPTION', indented(wrap(this.render(description ?? ''), this.#width - 2))],
      ['EXAMPLES', (examples ?? []).flatMap((one) => this.#example(one))],
      [
        'ARGUMENTS',
        columns(
          Object.values(args).map((arg) => [arg.name.toUpperCase(), arg.description ?? '']),
          this.#width,
        ),
      ],
      ...this.#flagSections(named),
    ];
    return sections
      .filter(([, lines]) => lines.some((line) => line.trim() !== ''))
      .map(([title, lines]) => [heading(title), ...lines].join('\n'))
      .join('\n\n');
  }

  /** Wide lines are hard to read also where there is room for them. */
  get #width(): number {
    return Math.min(this.opts.maxWidth, 100);
  }

  #usage(flags: readonly Flag[]): string {
    const args = Object.values(this.command.args).map(({ name, required }) =>
      required === true ? name.toUpperCase() : `[${name.toUpperCase()}]`,
    );
    const needed = flags.filter(({ required }) => required).map((flag) => `--${flag.name} ${valueOf(flag)}`);
    return ['$', this.config.bin, toConfiguredId(this.command.id, this.config), ...args, ...needed, '[FLAGS]'].join(
      ' ',
    );
  }

  #example(example: Command.Example): string[] {
    const { description, command } =
      typeof example === 'string' ? { description: undefined, command: example } : example;
    const said = description === undefined ? [] : indented(wrap(this.render(description), this.#width - 2));
    const lines = this.render(command)
      .split('\n')
      .flatMap((line) => commandLines(line.startsWith('$') ? line : `$ ${line}`, this.#width - 2));
    return [...said, ...indented(lines)];
  }

  #flagSections(flags: readonly Flag[]): [string, string[]][] {
    const groups = new Map<string, Flag[]>();
    for (const flag of flags.filter(({ hidden }) => hidden !== true)) {
      const group = flag.helpGroup ?? '';
      groups.set(group, [...(groups.get(group) ?? []), flag]);
    }
    return [...groups]
      .toSorted(([a], [b]) => flagGroupPlace(a) - flagGroupPlace(b))
      .map(([group, members]) => {
        const rows = members.map((flag): [string, string] => [labelOf(flag), textOf(flag)]);
        return [`${group} FLAGS`.trim().toUpperCase(), columns(rows, this.#width)];
      });
  }
}

function labelOf(flag: Flag): string {
  const name = flag.type === 'boolean' && flag.allowNo ? `--[no-]${flag.name}` : `--${flag.name}`;
  const value = flag.type === 'option' ? ` ${valueOf(flag)}` : '';
  return `${flag.char === undefined ? '    ' : `-${flag.char}, `}${name}${value}`;
}

function valueOf(flag: Flag): string {
  if (flag.type !== 'option') return '';
  const [value] = [flag.helpValue ?? flag.options?.join('|') ?? 'VALUE'].flat();
  return `${value}${flag.multiple === true ? '...' : ''}`;
}

const textOf = (flag: Flag): string =>
  `${flag.required === true ? '(needed) ' : ''}${flag.summary ?? flag.description ?? ''}`;
