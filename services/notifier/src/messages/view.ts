import { oneLine } from './escape.js';
import type { Variables } from './variables.js';

/** What a template is filled in with: plain strings, before they are escaped for a format. */
export type Value =
  string | number | boolean | null | undefined | readonly Value[] | { readonly [name: string]: Value };
export interface View {
  readonly [name: string]: Value;
}

/** Of one value. Messages of errors may be long; the rest is not. */
const MOST = 4_000;

/**
 * Exactly the variables of a template, each string one harmless line. What is not there is null, so that a list's entry never shows
 * what belongs to the message around it.
 */
export function filled(view: View, variables: Variables): View {
  return Object.fromEntries(
    Object.entries(variables).map(([name, { of }]) => [name, cleaned(view[name], of)] as const),
  );
}

function cleaned(value: Value, of: Variables | undefined): Value {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string') return oneLine(value, MOST);
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return (value as readonly Value[]).map((entry) => cleaned(entry, of));
  return of === undefined ? null : filled(value as View, of);
}
