/** The examples of the first design document, read from its words. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

// From test/support/design and test/dist/support/design alike.
const FILE = fileURLToPath(import.meta.url).replace(/\/test\/(dist\/)?support\/.*$/, '/test/support/design/interfaces.md');
const TEXT = readFileSync(FILE, 'utf8');

/** The first fenced block behind a title, without its fences. */
export function block(title: string): string {
  const start = TEXT.indexOf(title);
  const [, text] = /```\w*\n(.*?)```/s.exec(start < 0 ? '' : TEXT.slice(start)) ?? [];
  if (text === undefined) throw new Error(`the document has no block behind "${title}"`);
  return text;
}

/** The JSON in the n-th block behind a title, after the lines of HTTP or comments above it. */
export function example(title: string, nth = 1): JsonObject {
  let rest = TEXT.slice(TEXT.indexOf(title));
  for (let count = 1; ; count += 1) {
    const found = /```\w*\n(.*?)```/s.exec(rest);
    if (found === null) throw new Error(`the document has no ${nth} blocks behind "${title}"`);
    if (count === nth) return JSON.parse((found[1] ?? '').replace(/^[^{]*/, '')) as JsonObject;
    rest = rest.slice(found.index + found[0].length);
  }
}

/** Method and path of a block that is an HTTP request. */
export function requestLine(title: string): { method: string; path: string } {
  const [, method, path] = /^(GET|POST|DELETE) (\S+)/m.exec(block(title)) ?? [];
  if (method === undefined || path === undefined) throw new Error(`no request behind "${title}"`);
  return { method, path };
}

/** Where an answer lacks a key of an example, or has it with another type; empty when it conforms. */
export function differences(wanted: Json, found: unknown, path = ''): string[] {
  if (Array.isArray(wanted)) {
    if (!Array.isArray(found)) return [`${path}: not a list`];
    const [first] = wanted;
    return first === undefined ? [] : found.flatMap((item, index) => differences(first, item, `${path}[${index}]`));
  }
  if (wanted !== null && typeof wanted === 'object') {
    if (found === null || typeof found !== 'object') return [`${path}: not an object`];
    return Object.entries(wanted).flatMap(([key, value]) =>
      key in found
        ? differences(value, (found as Record<string, unknown>)[key], path === '' ? key : `${path}.${key}`)
        : [`${path === '' ? key : `${path}.${key}`}: missing`],
    );
  }
  return typeof found === typeof wanted ? [] : [`${path}: ${typeof found} instead of ${typeof wanted}`];
}
