// The reference of the API: the gateway's OpenAPI document as a page to read.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { exampleOf } from './api-examples.mjs';
import { cell, code, table } from './markdown.mjs';
import { properties } from './schemas.mjs';

const TAGS = {
  jobs: 'Jobs',
  batches: 'Batches',
  inventory: 'VMs of a vCenter',
  workers: 'Workers',
  notifications: 'Notifications',
  operations: 'Operations',
  vcenters: 'vCenter connections and keys',
  access: 'Tokens and audit',
  system: 'The gateway itself',
};

/** @returns {Promise<string>} Markdown */
export async function apiReference(root) {
  const { openApiDocument } = await import(
    pathToFileURL(path.join(root, 'services/gateway/dist/http/openapi.js')).href
  );
  const { paths, components } = openApiDocument();
  const operations = Object.entries(paths).flatMap(([address, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ address, method: method.toUpperCase(), ...operation })),
  );
  const unknown = operations.find(({ tags }) => !(tags[0] in TAGS));
  if (unknown !== undefined) throw new Error(`scripts/docs/api.mjs has no title for the tag ${unknown.tags[0]}`);
  return [
    '# API of the gateway',
    'JSON over HTTP, beneath `/api/v1`. The same as an OpenAPI 3.1 document: `GET /openapi.json`, which needs no token.',
    table(
      ['request', 'what it does', 'role'],
      operations.map((one) => [
        `[${code(`${one.method} ${one.address}`)}](#${one.operationId.toLowerCase()})`,
        cell(one.summary),
        one['x-role'] ?? '',
      ]),
    ),
    ...conventions(),
    ...Object.entries(TAGS).flatMap(([tag, title]) => [
      `## ${title}`,
      ...operations.filter(({ tags }) => tags[0] === tag).flatMap((one) => section(one)),
    ]),
    '## Documents',
    'Keys of an answer may be added in later versions; a client should pass over what it does not know.',
    ...Object.entries(components.schemas).flatMap(([name, schema]) => [
      `### ${name}`,
      ...(schema.description === undefined ? [] : [cell(schema.description)]),
      properties(schema),
    ]),
  ].join('\n\n');
}

const conventions = () => [
  '## Conventions',
  [
    '- **Role**: the least that the token needs, `viewer`, `operator` or `admin`; it is sent as `Authorization: Bearer TOKEN`. Where the gateway [demands no token](../configuration.md#gateway), on loopback and on its socket, everybody is an admin.',
    '- **Errors** are [problem documents](#problem) (`application/problem+json`, RFC 9457) with a `code`; [what each means and what helps](../troubleshooting.md).',
    '- **Repeating a POST** does no harm with an `Idempotency-Key` (1 to 255 visible characters) of your own: what was done under this key is not done again, and its answer comes once more, with `Idempotent-Replayed: true`.',
    '- Sizes are in bytes, durations in seconds, times in RFC 3339.',
    '- Every request can also be refused as `BAD_REQUEST`, `UNAUTHENTICATED`, `FORBIDDEN`, `RATE_LIMITED` (with `Retry-After`), or `INTERNAL`.',
  ].join('\n'),
];

/** Told once, above: every request can be refused with them. */
const EVERYWHERE = new Set([
  'BAD_REQUEST',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'RATE_LIMITED',
  'INTERNAL',
  'IDEMPOTENCY_CONFLICT',
]);

function section(operation) {
  const { address, method, operationId, summary, parameters = [], requestBody, responses } = operation;
  const role = operation['x-role'];
  const told = parameters.filter(({ in: where }) => where !== 'header');
  return [
    `### ${operationId}`,
    `${code(`${method} ${address}`)} · ${role === undefined ? 'no token needed' : `role ${code(role)}`}`,
    `${cell(summary)}${/[.?]$/.test(summary) ? '' : '.'}`,
    ...(told.length === 0
      ? []
      : [
          properties({
            properties: Object.fromEntries(told.map(({ name, schema }) => [name, schema])),
            required: told.filter((one) => one.required).map(({ name }) => name),
          }),
        ]),
    ...(requestBody === undefined
      ? []
      : [`Body${requestBody.required ? '' : ' (may be left out)'}: ${bodyOf(requestBody)}`]),
    `Answer: ${answers(responses)}`,
    ...errors(responses),
    ['```sh', exampleOf(operation), '```'].join('\n'),
  ];
}

const named = ({ $ref: reference }) => {
  const name = reference?.replace('#/components/schemas/', '');
  return name === undefined ? undefined : `[${name}](#${name.toLowerCase()})`;
};

function bodyOf({ content }) {
  const { schema } = content['application/json'];
  return named(schema) ?? `\n\n${properties(schema)}`;
}

function answers(responses) {
  return Object.entries(responses)
    .filter(([, { content = {} }]) => !('application/problem+json' in content))
    .map(([status, { content = {} }]) => {
      const forms = Object.entries(content).map(([type, { schema }]) => named(schema) ?? code(type));
      return `${status}${forms.length === 0 ? '' : `, ${forms.join(' or ')}`}`;
    })
    .join('; ');
}

function errors(responses) {
  const rows = Object.entries(responses)
    .filter(([, { content = {} }]) => 'application/problem+json' in content)
    .flatMap(([status, { description }]) => description.split('; ').map((text) => [status, ...text.split(': ')]))
    .filter(([, name]) => !EVERYWHERE.has(name));
  return rows.length === 0
    ? []
    : [
        table(
          ['status', 'error', 'meaning'],
          rows.map(([status, name, ...words]) => [
            status,
            `[${code(name)}](../troubleshooting.md#${name.toLowerCase()})`,
            cell(words.join(': ')),
          ]),
        ),
      ];
}
