import {
  ConvertAccepted,
  ConvertRequest,
  ERRORS,
  Health,
  Import,
  ImportRequest,
  Inspection,
  JobDetail,
  JobList,
  JobLogs,
  Problem,
  Status,
  Verification,
  VmList,
  VmListRequest,
  type ErrorCode,
} from '@hyper2kvm/contracts';
import { VERSION } from '@hyper2kvm/runtime';
import { z } from 'zod';
import type { Route } from './route.js';
import { ROUTES } from './routes.js';

type Json = Record<string, unknown>;

/** Schemas that get a name of their own in the document. */
const NAMED = {
  ConvertRequest,
  ConvertAccepted,
  JobDetail,
  JobList,
  JobLogs,
  Verification,
  ImportRequest,
  Import,
  Inspection,
  VmListRequest,
  VmList,
  Health,
  Status,
  Problem,
};
/** Those that come from callers: what has a default need not be given. */
const INPUTS: readonly string[] = ['ConvertRequest', 'ImportRequest', 'VmListRequest'];
const names = new Map<z.ZodType, string>(Object.entries(NAMED).map(([name, schema]) => [schema, name]));

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io, unrepresentable: 'any' });
  return rest;
}

const reference = (schema: z.ZodType, io: 'input' | 'output'): Json => {
  const name = names.get(schema);
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
      description: 'Moves virtual machines from VMware vSphere to KVM.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: Object.fromEntries(
        Object.entries(NAMED).map(([name, schema]) => [
          name,
          jsonSchema(schema, INPUTS.includes(name) ? 'input' : 'output'),
        ]),
      ),
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function operation(name: string, route: Route): Json {
  const parameters = [...pathParameters(route), ...queryParameters(route)];
  return {
    operationId: name,
    summary: route.summary,
    tags: [route.tag],
    security: route.open === true ? [] : [{ token: [] }, {}],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined
      ? {}
      : {
          requestBody: { required: true, content: { 'application/json': { schema: reference(route.body, 'input') } } },
        }),
    responses: { [route.status]: { description: 'Done', content: content(route) }, ...problems(route) },
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

function content({ answer }: Route): Json {
  if (answer === 'application/json') return { [answer]: { schema: { type: 'object' } } };
  if (typeof answer === 'string') return { [answer]: { schema: { type: 'string' } } };
  return { 'application/json': { schema: reference(answer, 'output') } };
}

/** Errors by their status, with the codes that it may carry. */
function problems(route: Route): Json {
  const codes: ErrorCode[] = [
    ...route.errors,
    ...(route.open === true ? [] : ['UNAUTHENTICATED' as const]),
    'INTERNAL',
  ];
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) byStatus.set(ERRORS[code].status, [...(byStatus.get(ERRORS[code].status) ?? []), code]);
  return Object.fromEntries(
    [...byStatus].map(([status, these]) => [
      String(status),
      {
        description: these.map((code) => `${code}: ${ERRORS[code].title}`).join('; '),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  );
}
