import { redact, redactUrls } from '@hyper2kvm/runtime';
import type { z } from 'zod';
import { withoutPaths } from '../http/shown-address.js';
import { withoutQueries } from '../http/without-queries.js';

const MAX_CHARACTERS = 4000;
const MAX_ITEMS = 20;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/**
 * What the audit keeps of a request's body: JSON without secrets, cut. Fields that the schema does not know may be a
 * password under another name: of a body that does not fit, the names of its fields are kept alone.
 */
export function auditedRequest(schema: z.ZodType | undefined, body: unknown): string | null {
  if (body === undefined || body === null) return null;
  const parsed = schema?.safeParse(body);
  const told = parsed?.success === true ? given(body, parsed.data) : { fields: fieldsOf(body) };
  const text = withoutQueries(redactUrls(JSON.stringify(withoutPaths(redact(told)))));
  return text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}…` : text;
}

const fieldsOf = (body: unknown): string[] =>
  isObject(body) && !Array.isArray(body) ? Object.keys(body).slice(0, MAX_ITEMS) : [];

/** What the caller said, without the defaults that were filled in and without what is ignored. */
function given(said: unknown, parsed: unknown): unknown {
  if (Array.isArray(said) && Array.isArray(parsed)) {
    const items = said.slice(0, MAX_ITEMS).map((item, index) => given(item, parsed[index]));
    return said.length > MAX_ITEMS ? [...items, `… ${said.length} in all`] : items;
  }
  if (!isObject(said) || !isObject(parsed)) return parsed;
  return Object.fromEntries(
    Object.keys(said)
      .filter((key) => Object.hasOwn(parsed, key))
      .map((key) => [key, given(said[key], parsed[key])]),
  );
}
