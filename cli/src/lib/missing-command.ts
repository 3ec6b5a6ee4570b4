import type { Interfaces } from '@oclif/core';
import { UsageError } from './errors.js';
import { didYouMean, nearest } from './near.js';
import { noSuchArgument } from './usage-errors.js';

/** What other tools call it. */
const OTHER_NAMES: Readonly<Record<string, readonly string[]>> = {
  migrate: ['convert'],
  move: ['convert'],
  ls: ['list'],
  ps: ['list'],
  jobs: ['list'],
  show: ['status', 'batches show'],
  get: ['status', 'config get'],
  follow: ['status'],
  delete: ['cancel'],
  abort: ['cancel'],
  kill: ['cancel'],
  start: ['daemon start'],
  stop: ['cancel', 'daemon stop'],
  top: ['watch'],
  login: ['vcenter add', 'token create'],
};

type Commands = Pick<Interfaces.Config, 'commands' | 'topics' | 'findCommand'>;

/** @param id all words up to the first flag, joined by ":" @param argv what follows */
export function missingCommand(id: string, argv: readonly string[], config: Commands): UsageError {
  const words = id.split(':');
  const commands = config.commands.filter(({ hidden }) => !hidden).map((command) => command.id.replaceAll(':', ' '));
  if (id.startsWith('-')) return flagFirst(id, argv, commands);
  const turned = commands.find((name) => name === words.slice(0, 2).toReversed().join(' '));
  if (turned !== undefined) return noSuchCommand(words.slice(0, 2), [turned]);
  const known = words
    .map((_, index) => words.slice(0, index + 1))
    .findLast((part) => commands.includes(part.join(' ')));
  const command = known === undefined ? undefined : config.findCommand(known.join(':'));
  const topic =
    known === undefined
      ? []
      : nearCommands(
          words,
          commands.filter((name) => name.startsWith(`${known.join(' ')} `)),
        );
  if (topic.length > 0) return noSuchCommand(words.slice(0, 2), topic);
  if (known !== undefined && command !== undefined) return noSuchArgument(words.slice(known.length).join(':'), command);
  const names = [...commands, ...config.topics.map(({ name }) => name.replaceAll(':', ' '))];
  const near = nearCommands(words, names);
  const shown = words.slice(0, near[0]?.split(' ').length ?? (names.includes(words[0] ?? '') ? 2 : 1));
  return noSuchCommand(shown, near);
}

function noSuchCommand(words: readonly string[], near: readonly string[]): UsageError {
  const [best] = near;
  return new UsageError(
    `there is no command "hyperctl ${words.join(' ')}"${didYouMean(near.map((name) => `hyperctl ${name}`))}`,
    `${best === undefined ? '' : `hyperctl ${best} --help; `}all commands: hyperctl --help`,
  );
}

/** Names whose first words are near to those that were typed. */
function nearCommands(words: readonly string[], names: readonly string[]): string[] {
  const [first = '', second] = words;
  const pair = second === undefined ? first : `${first} ${second}`;
  const other = (OTHER_NAMES[first] ?? []).filter((name) => names.includes(name));
  if (other.length > 0) return other;
  const within = nearest(
    pair,
    names.filter((name) => name.includes(' ')),
  );
  if (second !== undefined && within.length > 0) return within;
  const alone = nearest(
    first,
    names.filter((name) => !name.includes(' ')),
  );
  return alone.length > 0 ? alone : within;
}

function flagFirst(flag: string, argv: readonly string[], commands: readonly string[]): UsageError {
  const next = argv.find((word) => !word.startsWith('-'));
  const command =
    commands.find((name) => name === next || name.startsWith(`${next} `)) === undefined ? undefined : next;
  const [shown = flag] = flag.split('=');
  const near = nearest(shown.replace(/^-+/, ''), ['help', 'version']).map((name) => `hyperctl --${name}`);
  return command === undefined
    ? new UsageError(`there is no command "hyperctl ${shown}"${didYouMean(near)}`, 'all commands: hyperctl --help')
    : new UsageError(`flags come after the command: ${shown} stands before it`, `hyperctl ${command} … ${shown}`);
}
