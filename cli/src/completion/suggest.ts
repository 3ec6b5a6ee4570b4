import { printable } from '../lib/format.js';
import type { GatewayClient } from '../lib/client.js';
import type { CommandShape, FlagShape, Position } from './position.js';
import { sourceOfArg, sourceOfFlag, type Candidate, type Source } from './sources.js';

export interface Suggestions {
  readonly kind: 'values' | 'files' | 'folders';
  /** Whole words, as they are to stand in the line. */
  readonly candidates: readonly Candidate[];
}

/** What only others know. */
export interface Knowledge {
  contexts(): readonly string[];
  /** Nothing, where the gateway does not answer in time. */
  ask(question: (client: GatewayClient) => Promise<readonly Candidate[]>): Promise<readonly Candidate[]>;
}

const NONE: Suggestions = { kind: 'values', candidates: [] };

/** @param current what was typed of the word at the cursor */
export async function suggest(
  position: Position,
  current: string,
  commands: ReadonlyMap<string, CommandShape>,
  knowledge: Knowledge,
): Promise<Suggestions> {
  const { command, place } = position;
  if (place.kind === 'value' && command !== undefined)
    return valuesOf(sourceOfFlag(command, place.flag), place.typed, place.before, knowledge);
  if (place.kind === 'flag') return values(flagWords(position, current), current);
  if (place.kind !== 'word') return NONE;
  const words = place.first ? nextWords(position.path, commands) : [];
  const { arg } = place;
  const source = command === undefined || arg === undefined ? undefined : sourceOfArg(command, arg.name, arg.options);
  const rest = await valuesOf(source, current, '', knowledge);
  if (rest.kind !== 'values') return rest;
  const found = values([...words, ...rest.candidates], current);
  // A command that takes nothing but flags shows what it takes.
  return command !== undefined && found.candidates.length === 0 && current === '' && arg === undefined
    ? values(flagWords(position, '--'), '--')
    : found;
}

async function valuesOf(
  source: Source | undefined,
  typed: string,
  before: string,
  knowledge: Knowledge,
): Promise<Suggestions> {
  if (source === undefined) return NONE;
  if (source === 'files' || source === 'folders') return { kind: source, candidates: [] };
  if (source === 'contexts') return values(knowledge.contexts().map(candidate), typed, before);
  if (typeof source === 'function') return values(await knowledge.ask(source), typed, before);
  const comma = source.list === true ? typed.lastIndexOf(',') + 1 : 0;
  const chosen = typed.slice(0, comma).split(',');
  const open = source.values.filter((value) => !chosen.includes(value));
  return values(open.map(candidate), typed.slice(comma), before + typed.slice(0, comma));
}

const candidate = (value: string): Candidate => ({ value });

/** Those that begin with what was typed, each once. */
function values(all: readonly Candidate[], typed: string, before = ''): Suggestions {
  const seen = new Set<string>();
  const candidates = all.flatMap((one): Candidate[] => {
    // A name with a line end in it cannot be told from two; nobody types one anyway.
    if (seen.has(one.value) || !one.value.startsWith(typed) || printable(one.value) !== one.value) return [];
    seen.add(one.value);
    return [{ ...one, value: before + one.value }];
  });
  return { kind: 'values', candidates };
}

/** The commands and topics below what was typed. */
function nextWords(path: readonly string[], commands: ReadonlyMap<string, CommandShape>): Candidate[] {
  const found = new Map<string, string | undefined>();
  for (const [id, command] of commands) {
    const parts = id.split(':');
    const word = parts[path.length];
    if (command.hidden === true || word === undefined || parts.slice(0, path.length).join(':') !== path.join(':'))
      continue;
    const own = parts.length === path.length + 1;
    if (own || !found.has(word)) found.set(word, own ? wordsOf(command) : found.get(word));
  }
  return [...found].map(([value, description]) => ({ value, description }));
}

function flagWords({ command, used }: Position, current: string): Candidate[] {
  const flags = Object.values(command?.flags ?? {}).filter(({ name, hidden, multiple, exclusive = [] }) => {
    if (hidden === true || (used.has(name) && multiple !== true)) return false;
    return !exclusive.some((other) => typeof other === 'string' && used.has(other));
  });
  // Those of every command come last.
  const ordered = flags.toSorted((one, other) => place(one) - place(other));
  const all = ordered.flatMap((flag): Candidate[] => {
    const description = wordsOf(flag);
    const contrary = flag.allowNo === true ? [{ value: `--no-${flag.name}`, description }] : [];
    // In a list of everything a short form would only be the same once more.
    const short = flag.char !== undefined && current === '-' ? [{ value: `-${flag.char}`, description }] : [];
    return [{ value: `--${flag.name}`, description }, ...contrary, ...short];
  });
  return [...all, { value: '--help', description: 'Show what the command does.' }];
}

const place = ({ helpGroup = '' }: FlagShape): number => ['GATEWAY', 'OUTPUT'].indexOf(helpGroup) + 1;

function wordsOf({ summary, description }: { summary?: string | undefined; description?: string | undefined }) {
  return (summary ?? description)?.split('\n')[0]?.replace(/ \[default: .*\]/, '');
}
