import type { Typed } from './line.js';

/** What is known of a command, from oclif's manifest. */
export interface CommandShape {
  readonly id: string;
  readonly hidden?: boolean | undefined;
  readonly summary?: string | undefined;
  readonly description?: string | undefined;
  readonly flags: Readonly<Record<string, FlagShape>>;
  readonly args: Readonly<Record<string, ArgShape>>;
  readonly strict?: boolean | undefined;
}

export interface FlagShape {
  readonly name: string;
  readonly type: 'boolean' | 'option';
  readonly char?: string | undefined;
  readonly options?: readonly string[] | undefined;
  readonly allowNo?: boolean | undefined;
  readonly multiple?: boolean | undefined;
  readonly hidden?: boolean | undefined;
  readonly helpGroup?: string | undefined;
  readonly helpValue?: string | readonly string[] | undefined;
  readonly exclusive?: readonly unknown[] | undefined;
  readonly summary?: string | undefined;
  readonly description?: string | undefined;
}

export interface ArgShape {
  readonly name: string;
  readonly options?: readonly string[] | undefined;
  readonly hidden?: boolean | undefined;
}

/** What stands where the cursor is. */
export interface Position {
  /** Words of the command so far. */
  readonly path: readonly string[];
  readonly command: CommandShape | undefined;
  /** Names of the flags that were given. */
  readonly used: ReadonlySet<string>;
  /** Values that were given, the last of each flag. */
  readonly given: Readonly<Record<string, string>>;
  readonly place:
    | { readonly kind: 'flag' }
    | { readonly kind: 'value'; readonly flag: FlagShape; readonly typed: string; readonly before: string }
    /** Another word of the command, or an argument where it takes one. */
    | { readonly kind: 'word'; readonly arg: ArgShape | undefined; readonly first: boolean };
}

/** @param commands by id, with colons between its words */
export function positionOf(typed: Typed, commands: ReadonlyMap<string, CommandShape>): Position {
  const { current } = typed;
  // "help batches sh" goes on like "batches sh".
  const words = typed.words[0] === 'help' ? typed.words.slice(1) : typed.words;
  const ids = [...commands.keys()];
  const path: string[] = [];
  for (const word of words) {
    const id = [...path, word].join(':');
    if (!ids.some((one) => one === id || one.startsWith(`${id}:`))) break;
    path.push(word);
  }
  const command = commands.get(path.join(':'));
  const flags = Object.values(command?.flags ?? {});
  const find = (word: string): FlagShape | undefined =>
    flags.find(({ name, char }) => word === `--${name}` || (char !== undefined && word === `-${char}`));
  const used = new Set<string>();
  const given: Record<string, string> = {};
  let pending: FlagShape | undefined;
  let count = 0;
  let onlyArgs = false;
  const rest = words.slice(path.length);
  for (const word of rest) {
    const [name = '', ...value] = word.split('=');
    const flag = onlyArgs ? undefined : (find(name.replace(/^--no-/, '--')) ?? find(name));
    if (pending !== undefined) {
      given[pending.name] = word;
      pending = undefined;
    } else if (word === '--') onlyArgs = true;
    else if (flag !== undefined) {
      used.add(flag.name);
      if (value.length > 0) given[flag.name] = value.join('=');
      else if (flag.type === 'option') pending = flag;
    } else if (onlyArgs || !word.startsWith('-')) count += 1;
  }
  const base = { path, command, used, given };
  if (pending !== undefined) return { ...base, place: { kind: 'value', flag: pending, typed: current, before: '' } };
  const equals = current.indexOf('=');
  if (!onlyArgs && current.startsWith('--') && equals > 0) {
    const flag = find(current.slice(0, equals));
    const before = current.slice(0, equals + 1);
    if (flag?.type === 'option')
      return { ...base, place: { kind: 'value', flag, typed: current.slice(equals + 1), before } };
  }
  if (!onlyArgs && current.startsWith('-')) return { ...base, place: { kind: 'flag' } };
  const args = Object.values(command?.args ?? {}).filter(({ hidden }) => hidden !== true);
  // A command that takes any number of words takes them as its last argument.
  const arg = args[count] ?? (command?.strict === false ? args.at(-1) : undefined);
  return { ...base, place: { kind: 'word', arg, first: rest.length === 0 } };
}
