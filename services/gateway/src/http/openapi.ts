import { ERRORS, Problem, type ErrorCode } from '@hyper2kvm/contracts';
import { VERSION } from '@hyper2kvm/runtime';
import { z } from 'zod';
import { namesOf, type Direction } from './openapi-names.js';
import { roleOf, type Route } from './route.js';
import { ROUTES } from './routes.js';

type Json = Record<string, unknown>;

const NAMES = namesOf(Object.values<Route>(ROUTES), Problem);

function jsonSchema(schema: z.ZodType, io: Direction): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io, unrepresentable: 'any' });
  return rest;
}

const reference = (schema: z.ZodType, io: Direction): Json => {
  const name = NAMES[io].get(schema);
  return name === undefined ? jsonSchema(schema, io) : { $ref: `#/components/schemas/${name}` };
};

/** OpenAPI 3.1, made from the route table and the schemas that the API validates by. */
export function openApiDocument(): Json {
  const paths: Record<string, Json> = {};
  for (const [name, route] of Object.entries<Route>(ROUTES)) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(name, route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'hyper2kvm gateway',
      version: VERSION,
      description:
        'Moves virtual machines from VMware vSphere to KVM. `x-role` is the least role that may: viewer, operator or ' +
        'admin. Without a token ask over the unix socket, or on loopback where none is demanded.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: Object.fromEntries(
        (['input', 'output'] as const).flatMap((io) =>
          [...NAMES[io]].map(([schema, name]) => [name, jsonSchema(schema, io)]),
        ),
      ),
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function operation(name: string, route: Route): Json {
  const parameters = [...pathParameters(route), ...queryParameters(route), ...headerParameters(route)];
  return {
    operationId: name,
    summary: route.summary,
    tags: [route.tag],
    ...(route.open === true ? { security: [] } : { security: [{ token: [] }, {}], 'x-role': roleOf(route) }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: !route.body.safeParse(undefined).success,
            content: { 'application/json': { schema: reference(route.body, 'input') } },
          },
        }),
    responses: responses(route),
  };
}

const pathParameters = (route: Route): Json[] =>
  Object.entries(route.params ?? {}).map(([name, schema]) => ({
    name,
    in: 'path',
    required: true,
    schema: jsonSchema(schema, 'input'),
  }));

function queryParameters(route: Route): Json[] {
  if (route.query === undefined) return [];
  return Object.entries(route.query.shape).map(([name, schema]) => ({
    name,
    in: 'query',
    required: false,
    schema: jsonSchema(schema as z.ZodType, 'input'),
  }));
}

function headerParameters(route: Route): Json[] {
  if (route.method !== 'POST') return [];
  return [
    {
      name: 'Idempotency-Key',
      in: 'header',
      required: false,
      description: 'The same key with the same request is done once: the answer comes again, with Idempotent-Replayed.',
      schema: { type: 'string', pattern: '^[!-~]{1,255}$' },
    },
  ];
}

function responses(route: Route): Json {
  const others = Object.entries(route.others ?? {}).map(([status, schema]) => [
    status,
    { description: 'Another state', content: json(schema) },
  ]);
  return { ...problems(route), ...Object.fromEntries(others), [route.status]: success(route) };
}

function success(route: Route): Json {
  if (route.answer === 'none') return { description: 'Done' };
  const { alternative } = route;
  return {
    description: 'Done',
    ...(route.method === 'POST'
      ? {
          headers: {
            'Idempotent-Replayed': { description: '`true` of a repeated answer', schema: { type: 'string' } },
          },
        }
      : {}),
    content: {
      ...content(route.answer),
      ...(alternative === undefined ? {} : { [alternative]: { schema: { type: 'string' } } }),
    },
  };
}

const json = (schema: z.ZodType): Json => ({ 'application/json': { schema: reference(schema, 'output') } });

function content(answer: Exclude<Route['answer'], 'none'>): Json {
  if (answer === 'application/json') return { [answer]: { schema: { type: 'object' } } };
  if (typeof answer === 'string') return { [answer]: { schema: { type: 'string' } } };
  return json(answer);
}

/** Why each route may refuse, besides its own reasons. */
function refusals(route: Route): ErrorCode[] {
  if (route.open === true) return [];
  return [
    'UNAUTHENTICATED',
    'FORBIDDEN',
    'RATE_LIMITED',
    ...(route.method === 'GET' ? [] : (['BAD_REQUEST'] as const)),
    ...(route.method === 'POST' ? (['STATE_CONFLICT', 'IDEMPOTENCY_CONFLICT'] as const) : []),
  ];
}

const WAITS = { 'Retry-After': { description: 'Seconds', schema: { type: 'integer' } } };

/** Errors by their status, with the codes that it may carry. */
function problems(route: Route): Json {
  const byStatus = new Map<number, string[]>();
  const add = (status: number, text: string): unknown => byStatus.set(status, [...(byStatus.get(status) ?? []), text]);
  const codes = new Set<ErrorCode>([...route.errors, ...refusals(route), 'INTERNAL']);
  for (const code of codes) add(ERRORS[code].status, `${code}: ${ERRORS[code].title}`);
  if (route.method !== 'GET') {
    add(413, 'BAD_REQUEST: the body is too large');
    add(415, 'BAD_REQUEST: the body is no JSON');
  }
  if (route.params !== undefined) add(414, 'BAD_REQUEST: the address is too long');
  if (route.open !== true) add(503, 'INTERNAL: the database cannot be reached now');
  return Object.fromEntries(
    [...byStatus].map(([status, these]) => [
      String(status),
      {
        description: these.join('; '),
        ...(status === 429 ? { headers: WAITS } : {}),
        content: { 'application/problem+json': { schema: reference(Problem, 'output') } },
      },
    ]),
  );
}
