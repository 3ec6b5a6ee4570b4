import { printable } from '../lib/format.js';
import type { Typed } from './line.js';
import type { Shell } from './scripts.js';
import type { Suggestions } from './suggest.js';

/**
 * The answer that the shells' scripts read: what it is, then a line for each candidate.
 * @param typed where they are to be inserted
 */
export function replyLines(shell: Shell, { kind, candidates }: Suggestions, typed: Typed): string[] {
  if (kind !== 'values') return [kind];
  if (shell === 'bash') return ['values', ...candidates.flatMap(({ value }) => insertable(value, typed))];
  const lines = candidates.map(({ value, description }) =>
    description === undefined ? value : `${value}\t${printable(description)}`,
  );
  return ['values', ...lines];
}

/** What bash is to insert, which it does as it is: quoted like the rest of the word, so that no name ever is a command. */
function insertable(value: string, { current, quote }: Typed): string[] {
  if (quote?.mark === "'") return value.includes("'") ? [] : [value.slice(quote.from)];
  // The history of an interactive bash is expanded there, too, and nothing hinders it.
  if (quote?.mark === '"') return value.includes('!') ? [] : [value.slice(quote.from).replaceAll(/["$`\\]/g, '\\$&')];
  // For readline a word begins anew behind these, and what is inserted must not repeat what stands before.
  const cut = Math.max(current.lastIndexOf('='), current.lastIndexOf(':')) + 1;
  return [value.slice(cut).replaceAll(/[^\p{L}\p{N}_./:=,@%+-]/gu, '\\$&')];
}
