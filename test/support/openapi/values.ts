/** Values made from JSON Schemas, with fast-check: those that a schema allows, and those that it does not. */
import * as fc from 'fast-check';
import type { ApiDocument, Schema } from './document.js';

/** What a property with this name should be, so that it means something; undefined leaves it to its schema. */
export type Hints = (path: readonly string[]) => fc.Arbitrary<unknown> | undefined;

/** Texts that break programs. */
export const NASTY = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  'x\udfff',
  '\u202Eabc',
  '💥',
  "'; DROP TABLE jobs; --",
  '%00',
  '%',
  '../../etc/passwd',
  '__proto__',
  'constructor',
  '${jndi:ldap://x}',
  '<script>alert(1)</script>',
  '\r\nX-Injected: 1',
  '9'.repeat(40),
  'x'.repeat(2000),
  '1e999',
  'NaN',
  'null',
];
const MAX_OPTIONAL = 3;
const MAX_ITEMS = 4;

const FORMATS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  'date-time': fc
    .date({ min: new Date('2020-01-01T00:00:00Z'), max: new Date('2035-01-01T00:00:00Z'), noInvalidDate: true })
    .map((date) => date.toISOString()),
  date: fc
    .date({ min: new Date('2020-01-01'), max: new Date('2035-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10)),
  email: fc.constantFrom('ops@example.com', 'a.b+c@mail.example.org'),
  // Nobody answers there, and nothing leaves the machine.
  uri: fc.constantFrom('http://127.0.0.1:9/hook', 'https://localhost:9/a/b?c=d'),
  base64: fc.constantFrom('c2VjcmV0', 'AAECAwQ='),
};

const junk: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, 0, -1, 1.5, 1e308, Number.MAX_SAFE_INTEGER, [], {}, [[]], { a: 1 }),
  fc.constantFrom(...NASTY),
  fc.string({ unit: 'binary', maxLength: 50 }),
);

export class Values {
  constructor(
    private readonly document: ApiDocument,
    private readonly hints: Hints,
  ) {}

  /** What the schema allows. */
  valid(given: Schema | boolean, path: readonly string[] = []): fc.Arbitrary<unknown> {
    const hint = this.hints(path);
    if (hint !== undefined) return hint;
    if (typeof given === 'boolean') return fc.constantFrom<unknown>('any', 1, null);
    const schema = this.document.resolve(given);
    if ('const' in schema) return fc.constant(schema['const']);
    if ('enum' in schema) return fc.constantFrom(...(schema['enum'] as unknown[]));
    const choices = (schema['anyOf'] ?? schema['oneOf']) as Schema[] | undefined;
    if (choices !== undefined) return fc.oneof(...choices.map((choice) => this.valid(choice, path)));
    if ('allOf' in schema)
      return this.valid(
        Object.assign({}, ...(schema['allOf'] as Schema[]).map((part) => this.document.resolve(part))) as Schema,
        path,
      );
    const { type } = schema;
    if (Array.isArray(type))
      return fc.oneof(...type.map((one) => this.valid({ ...schema, type: one as string }, path)));
    switch (type) {
      case 'object':
        return this.#object(schema, path);
      case 'array':
        return this.#array(schema, path);
      case 'string':
        return text(schema);
      case 'integer':
        return integer(schema);
      case 'number':
        return fc.double({
          min: (schema['minimum'] as number) ?? -1e6,
          max: (schema['maximum'] as number) ?? 1e6,
          noNaN: true,
        });
      case 'boolean':
        return fc.boolean();
      case 'null':
        return fc.constant(null);
      default:
        return fc.constantFrom<unknown>('any', 1, null, {});
    }
  }

  /** A valid value with one thing wrong in it, mostly. */
  broken(schema: Schema): fc.Arbitrary<unknown> {
    const how = fc.record({ at: fc.nat(), what: fc.constantFrom('replace', 'remove', 'add'), by: junk } as const);
    return fc.oneof(
      { weight: 5, arbitrary: fc.tuple(this.valid(schema), how).map(([value, change]) => damage(value, change)) },
      { weight: 1, arbitrary: junk },
    );
  }

  #object(schema: Schema, path: readonly string[]): fc.Arbitrary<unknown> {
    const properties = (schema['properties'] ?? {}) as Readonly<Record<string, Schema>>;
    const required = new Set((schema['required'] ?? []) as string[]);
    const names = Object.keys(properties);
    if (names.length === 0 && typeof schema['additionalProperties'] === 'object')
      return fc.dictionary(
        fc.stringMatching(/^[a-z]{1,8}$/),
        this.valid(schema['additionalProperties'] as Schema, [...path, '*']),
        { maxKeys: 2 },
      );
    const optional = names.filter((name) => !required.has(name));
    return fc
      .subarray(optional, { maxLength: Math.min(MAX_OPTIONAL, optional.length) })
      .chain((chosen) =>
        fc.record(
          Object.fromEntries(
            [...required, ...chosen].map((name) => [name, this.valid(properties[name] ?? true, [...path, name])]),
          ),
        ),
      );
  }

  #array(schema: Schema, path: readonly string[]): fc.Arbitrary<unknown> {
    const min = (schema['minItems'] as number | undefined) ?? 0;
    const max = Math.min((schema['maxItems'] as number | undefined) ?? MAX_ITEMS, Math.max(min, MAX_ITEMS));
    return fc.array(this.valid((schema['items'] ?? true) as Schema, [...path, '*']), {
      minLength: min,
      maxLength: max,
    });
  }
}

/** As JSON Schema counts: characters, not halves of them. */
const length = (value: string): number => Array.from(value).length;

function text(schema: Schema): fc.Arbitrary<string> {
  const known = FORMATS[(schema['format'] ?? schema['contentEncoding'] ?? '') as string];
  if (known !== undefined) return known;
  const minLength = (schema['minLength'] as number | undefined) ?? 0;
  const maxLength = (schema['maxLength'] as number | undefined) ?? Number.POSITIVE_INFINITY;
  const fits = (value: string): boolean => length(value) >= minLength && length(value) <= maxLength;
  if (typeof schema['pattern'] === 'string') {
    const pattern = new RegExp(schema['pattern'], 'u');
    try {
      return fc.stringMatching(pattern).filter(fits);
    } catch {
      // Not every pattern can be turned round.
      return fc
        .oneof(
          fc.string({ unit: 'grapheme-ascii', minLength, maxLength: Math.min(maxLength, 30) }),
          fc.stringMatching(/^[a-z0-9.-]{3,20}$/),
        )
        .filter((value) => pattern.test(value) && fits(value));
    }
  }
  return fc.oneof(
    {
      weight: 4,
      arbitrary: fc.string({ unit: 'grapheme-ascii', minLength, maxLength: Math.min(maxLength, minLength + 20) }),
    },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength, maxLength: Math.min(maxLength, minLength + 20) }) },
    ...(NASTY.some(fits) ? [{ weight: 1, arbitrary: fc.constantFrom(...NASTY.filter(fits)) }] : []),
  );
}

function integer(schema: Schema): fc.Arbitrary<number> {
  const min =
    (schema['minimum'] as number | undefined) ??
    (schema['exclusiveMinimum'] as number | undefined) ??
    Number.MIN_SAFE_INTEGER;
  const max = (schema['maximum'] as number | undefined) ?? Number.MAX_SAFE_INTEGER;
  const low = 'exclusiveMinimum' in schema && !('minimum' in schema) ? min + 1 : min;
  return fc.oneof(
    fc.constantFrom(low, max),
    fc.maxSafeInteger().map((any) => low + (Math.abs(any) % Math.max(1, Math.min(max - low, 1000)))),
  );
}

interface Damage {
  readonly at: number;
  readonly what: 'replace' | 'remove' | 'add';
  readonly by: unknown;
}

/** Changes one place of a JSON value. */
function damage(value: unknown, change: Damage): unknown {
  const copy = structuredClone(value);
  const places: { node: Record<string, unknown>; key: string }[] = [];
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const [key, child] of Object.entries(node)) {
      places.push({ node: node as Record<string, unknown>, key });
      walk(child);
    }
  };
  walk(copy);
  const place = places[change.at % Math.max(1, places.length)];
  if (place === undefined) return change.what === 'add' ? { unknown_key: change.by } : change.by;
  if (change.what === 'replace') place.node[place.key] = change.by;
  else if (change.what === 'remove') delete place.node[place.key];
  else place.node['unknown_key'] = change.by;
  return copy;
}
