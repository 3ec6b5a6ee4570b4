/** A NUL, or half of a character (an unpaired surrogate): neither text nor jsonb of PostgreSQL can hold them. */
const UNSTORABLE = /[\0\p{Cs}]/u;
const EACH = new RegExp(UNSTORABLE, 'gu');

export const isStorable = (text: string): boolean => !UNSTORABLE.test(text);

/**
 * What a worker told, as it can be kept. Texts of guests and commands may hold anything, and a limit of length may cut a character
 * in two. Such a place becomes U+FFFD: it does not keep the fact itself from being written.
 */
export function storable<T>(value: T): T {
  return kept(value) as T;
}

function kept(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll(EACH, '\uFFFD');
  if (Array.isArray(value)) return value.map(kept);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key.replaceAll(EACH, '\uFFFD'), kept(child)]));
}
