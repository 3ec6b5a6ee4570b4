import { isStorable } from '../database/index.js';

/** No request of the API is nested as deeply; programs that follow a value into its depth have an end. */
const MAX_DEPTH = 32;

/** Why a value of a request can never be kept; undefined when it can. */
export function whyUnstorable(value: unknown): string | undefined {
  const open: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value: current, depth } = next;
    if (typeof current === 'string' && !isStorable(current))
      return 'a text holds a NUL character, or half of a character';
    if (typeof current !== 'object' || current === null) continue;
    if (depth >= MAX_DEPTH) return `it is nested more than ${MAX_DEPTH} deep`;
    for (const [key, child] of Object.entries(current)) {
      if (!isStorable(key)) return 'the name of a field holds a NUL character, or half of a character';
      open.push({ value: child, depth: depth + 1 });
    }
  }
  return undefined;
}
