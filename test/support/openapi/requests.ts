/** Requests to every operation of an API: most of them sensible, some not. */
import * as fc from 'fast-check';
import type { ApiDocument, Operation, Parameter } from './document.js';
import { NASTY, Values, type Hints } from './values.js';

/** Something that exists when the request is sent: one of a pool, by its number there. */
export class Known {
  constructor(
    readonly pool: string,
    readonly index: number,
  ) {}
}

export type RequestBody = { readonly json: unknown } | { readonly raw: string; readonly type: string | undefined };

export interface ApiRequest {
  readonly operation: Operation;
  readonly sensible: boolean;
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly idempotencyKey: string | undefined;
  /** Of streams that are resumed. */
  readonly lastEventId: string | undefined;
  readonly body: RequestBody | undefined;
}

export interface Knowledge {
  /** Of what exists: the pool for a parameter of an operation. */
  pool(operation: Operation, parameter: Parameter): string | undefined;
  /** Of properties by their names, in bodies and in queries. */
  readonly hints: Hints;
  /** Makes of a body what the schema alone cannot say. */
  sense(operation: Operation, body: unknown): unknown;
}

const RAW: readonly RequestBody[] = [
  { raw: '', type: 'application/json' },
  { raw: '{', type: 'application/json' },
  { raw: 'null', type: 'application/json' },
  { raw: '[]', type: 'application/json' },
  { raw: '"text"', type: 'application/json' },
  { raw: '{"__proto__":{"a":1}}', type: 'application/json' },
  { raw: '{"a":1}', type: 'text/plain' },
  { raw: '<a/>', type: 'application/xml' },
  { raw: 'a=1', type: 'application/x-www-form-urlencoded' },
  { raw: `${'['.repeat(5000)}${']'.repeat(5000)}`, type: 'application/json' },
];

const STRANGE_IDS = ['0', '-1', 'abc', '99999999999999999999', '1.5', ' '];
const isStream = ({ responses }: Operation): boolean =>
  Object.values(responses).some(({ content }) => content !== undefined && 'text/event-stream' in content);

const known = (pool: string): fc.Arbitrary<Known> => fc.nat().map((index) => new Known(pool, index));

export function requestsOf(document: ApiDocument, knowledge: Knowledge): fc.Arbitrary<ApiRequest> {
  const values = new Values(document, knowledge.hints);
  return fc.oneof(
    ...document.operations.map((operation) =>
      fc.boolean().chain((sensible) => requestTo(operation, sensible, values, knowledge)),
    ),
  );
}

function requestTo(
  operation: Operation,
  sensible: boolean,
  values: Values,
  knowledge: Knowledge,
): fc.Arbitrary<ApiRequest> {
  const of = (place: Parameter['in']): readonly Parameter[] =>
    operation.parameters.filter((parameter) => parameter.in === place);
  const params = fc.record(
    Object.fromEntries(
      of('path').map((parameter) => {
        const pool = knowledge.pool(operation, parameter);
        const real = pool === undefined ? values.valid(parameter.schema) : known(pool);
        const odd = fc.oneof(
          real,
          values.valid(parameter.schema),
          fc.constantFrom(...NASTY.filter((text) => text !== '')),
        );
        return [parameter.name, sensible ? real : odd];
      }),
    ),
  );
  const query = fc.subarray([...of('query')], { maxLength: Math.min(2, of('query').length) }).chain((chosen) =>
    fc.record(
      Object.fromEntries(
        chosen.map((parameter) => {
          const pool = knowledge.pool(operation, parameter);
          const real =
            pool === undefined ? values.valid(parameter.schema, [operation.id, parameter.name]) : known(pool);
          return [
            parameter.name,
            sensible ? real : fc.oneof(real, fc.constantFrom<unknown>(...NASTY, 0, -1, 501, ['a', 'b'])),
          ];
        }),
      ),
    ),
  );
  const noKey = fc.constant(undefined);
  const key =
    operation.method === 'POST'
      ? fc.oneof(
          { weight: 8, arbitrary: noKey },
          fc.stringMatching(/^key-[ab]$/),
          ...(sensible ? [] : [fc.constantFrom('with blank', 'x'.repeat(300), 'ü')]),
        )
      : noKey;
  return fc.record({
    operation: fc.constant(operation),
    sensible: fc.constant(sensible),
    params,
    query: sensible ? query : fc.oneof({ weight: 6, arbitrary: query }, fc.constant({ unknown: 'x', __proto__x: '1' })),
    idempotencyKey: key,
    lastEventId: isStream(operation) ? fc.constantFrom(undefined, '1', '17', ...(sensible ? [] : STRANGE_IDS)) : noKey,
    body: bodyOf(operation, sensible, values, knowledge),
  });
}

function bodyOf(
  operation: Operation,
  sensible: boolean,
  values: Values,
  knowledge: Knowledge,
): fc.Arbitrary<RequestBody | undefined> {
  const { body } = operation;
  if (body === undefined) {
    const none = fc.constant(undefined);
    return sensible || operation.method === 'GET' ? none : fc.oneof(none, fc.constantFrom(...RAW));
  }
  const valid = values.valid(body).map((json) => ({ json: knowledge.sense(operation, json) }));
  if (sensible) return valid;
  return fc.oneof(
    { weight: 2, arbitrary: valid },
    { weight: 4, arbitrary: values.broken(body).map((json) => ({ json })) },
    { weight: 1, arbitrary: fc.constantFrom(...RAW) },
  );
}
