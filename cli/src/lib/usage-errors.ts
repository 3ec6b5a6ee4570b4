import { JOB_STATUSES, JobId } from '@hyper2kvm/contracts';
import { CliError, UsageError } from './errors.js';
import { shellQuote } from './format.js';
import { didYouMean, either, nearest } from './near.js';

/** Of a command what its errors of usage speak of. */
export interface Spoken {
  /** `batches show`; the parts may be separated by ":" too. */
  readonly id: string;
  readonly flags: Readonly<
    Record<string, { readonly char?: string | undefined; readonly type?: string; readonly allowNo?: boolean }>
  >;
}

const spokenId = (id: string): string => `hyperctl ${id.replaceAll(':', ' ')}`;
const helpOf = (id: string): string => `${spokenId(id)} --help`;

/** A word that is none of those that are possible. @param what `value of --status`: what it should be */
export function noSuchValue(what: string, word: string, possible: readonly string[]): UsageError {
  const near = nearest(word, possible, 1);
  return new UsageError(`"${word}" is no ${what}${didYouMean(near)}`, `one of: ${possible.join(', ')}`);
}

/**
 * The parser's own errors in the words of all others; undefined where it is none. Values of flags are not repeated where they
 * may be secrets.
 */
export function usageError(error: Error, command: Spoken): CliError | undefined {
  // A flag's own check: the parser wrote its words around it.
  const inFlag = /^Parsing --(\S+) \n\t([^]*)\nSee more help with --help$/.exec(error.message);
  if (inFlag !== null && error instanceof CliError)
    return new UsageError(`--${inFlag[1]}: ${inFlag[2] ?? ''}`, error.advice ?? helpOf(command.id));
  if (error instanceof UsageError) {
    error.advice ??= helpOf(command.id);
    return error;
  }
  if (!('oclif' in error)) return undefined;
  // oxlint-disable-next-line no-control-regex -- the parser colours some of its words
  const message = error.message.replaceAll(/\u001b\[\d+m/g, '').replace(/\nSee more help with --help$/, '');
  if (inFlag !== null) return new UsageError(inWords(`--${inFlag[1]}`, inFlag[2] ?? ''), helpOf(command.id));
  const { flags, args } = error as { flags?: unknown; args?: unknown };
  if (message.startsWith('Nonexistent flag') && Array.isArray(flags)) return noSuchFlag(String(flags[0]), command);
  if (message.startsWith('Unexpected argument') && Array.isArray(args)) return noSuchArgument(String(args[0]), command);
  const option = /^Expected (?:--(\S+?)=)?([^]*) to be one of: (.*)$/.exec(message);
  if (option !== null) {
    const [, flag, word = '', possible = ''] = option;
    return noSuchValue(
      flag === undefined ? `word of "${spokenId(command.id)}"` : `value of --${flag}`,
      word,
      possible.split(', '),
    );
  }
  const missing = /^Flag (--\S+) expects (?:a value|one of these values: (.*))$/.exec(message);
  if (missing !== null)
    return new UsageError(
      `${missing[1]} needs a value`,
      missing[2] === undefined ? helpOf(command.id) : `one of: ${missing[2]}`,
    );
  const [, listed] = /^Missing \d+ required args?:?\s*\n([^]*)$/.exec(message) ?? [];
  if (listed !== undefined) return noArguments(listed, command);
  const lines = message.replace(/^The following errors? occurred:\s*/, '').split('\n');
  return new UsageError([...new Set(lines.map((line) => constraint(line.trim())))].join('; '), helpOf(command.id));
}

/** What is hung on a command that takes no such word, or no word at all. */
export function noSuchArgument(word: string, { id, flags }: Spoken): UsageError {
  const flag = [
    { name: 'job', fits: JobId.safeParse(word).success },
    { name: 'status', fits: (JOB_STATUSES as readonly string[]).includes(word) },
    { name: 'vm', fits: !word.startsWith('-') },
  ].find(({ name, fits }) => fits && name in flags)?.name;
  const command = `${spokenId(id)} --${flag} ${shellQuote(word)}`;
  return new UsageError(
    `"${spokenId(id)}" takes no ${flag === undefined ? '' : 'bare '}word "${word}"`,
    flag === undefined ? helpOf(id) : `${command} (all flags: ${helpOf(id)})`,
  );
}

function noSuchFlag(given: string, { id, flags }: Spoken): UsageError {
  // What follows may be a secret.
  const [shown = given] = given.split('=');
  const names = Object.entries(flags).flatMap(([name, { allowNo }]) => [name, ...(allowNo ? [`no-${name}`] : [])]);
  const near = nearest(shown.replace(/^-+/, '').replaceAll('_', '-'), [...names, 'help']).map((name) => `--${name}`);
  return new UsageError(
    `"${spokenId(id)}" has no flag ${shown}${didYouMean(near).replaceAll('"', '')}`,
    `${helpOf(id)} shows its flags; all commands: hyperctl --help`,
  );
}

function inWords(flag: string, text: string): string {
  const [, least, most, got] =
    /^Expected an integer(?: greater than or equal to (-?\d+))?(?: less than or equal to (-?\d+))? ?but received: ([^]*)$/.exec(
      text,
    ) ?? [];
  if (got === undefined) return `${flag}: ${text}`;
  const range = least !== undefined ? ` of at least ${least}` : most === undefined ? '' : ` of at most ${most}`;
  return `${flag} takes a whole number${range}, not "${got}"`;
}

/** One violated rule of how flags go together, without their values. */
function constraint(line: string): string {
  const exclusive = /^--(\S+?)(?:=.*)? cannot also be provided when using --(\S+)$/.exec(line);
  if (exclusive !== null) {
    const [a, b] = [exclusive[1] ?? '', exclusive[2] ?? ''].toSorted();
    return `--${a} and --${b} cannot be given together`;
  }
  const needed = /^All of the following must be provided when using (--\S+): (.*)$/.exec(line);
  if (needed !== null) return `${needed[1]} needs ${needed[2]?.replaceAll(', ', ' and ')} too`;
  const once = /^Flag (--\S+) can only be specified once$/.exec(line);
  if (once !== null) return `${once[1]} can be given only once`;
  const required = /^Missing required flag (\S+)$/.exec(line);
  if (required !== null) return `--${required[1]} is missing`;
  return line.replace(/^([A-Z])(?=[a-z])/, (first) => first.toLowerCase());
}

/** @param listed a line for each: its name, and what it is */
function noArguments(listed: string, { id }: Spoken): UsageError {
  const names = listed.split('\n').flatMap((line) => /^\s*([\w-]+)(?: {2}|$)/.exec(line)?.[1]?.toUpperCase() ?? []);
  return new UsageError(
    `${either(names, '').replace(' or ', ' and ')} ${names.length > 1 ? 'are' : 'is'} missing`,
    helpOf(id),
  );
}
