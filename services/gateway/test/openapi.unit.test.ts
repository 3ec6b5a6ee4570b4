import { expect, it } from 'vitest';
import { openApiDocument } from '../src/http/openapi.js';
import { InventoryController } from '../src/http/inventory.controller.js';
import { JobsController } from '../src/http/jobs.controller.js';
import { ROUTE, type Route } from '../src/http/route.js';
import { ROUTES } from '../src/http/routes.js';
import { SystemController } from '../src/http/system.controller.js';
import { ACCESS_CONTROLLERS } from '../src/access/index.js';
import { BATCHES_CONTROLLERS } from '../src/batches/index.js';
import { DEAD_LETTERS_CONTROLLERS } from '../src/dead-letters/index.js';
import { NOTIFICATIONS_CONTROLLERS } from '../src/notifications/index.js';
import { RETENTION_CONTROLLERS } from '../src/retention/index.js';
import { STATS_CONTROLLERS } from '../src/stats/index.js';
import { VCENTERS_CONTROLLERS } from '../src/vcenters/index.js';
import { WORKERS_CONTROLLERS } from '../src/workers/index.js';

interface Operation {
  operationId: string;
  parameters?: { name: string; in: string }[];
  security: object[];
  'x-role'?: string;
  requestBody?: { required: boolean; content: Record<string, { schema: { $ref?: string } }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: object }> }>;
}
const document = openApiDocument() as unknown as {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, { required?: string[]; properties: object }> };
};

const operations = Object.values(document.paths).flatMap((path) => Object.values(path));

const addresses = (routes: readonly Route[]): string[] =>
  routes.map(({ method, path }) => `${method} ${path}`).toSorted();

it('serves each route of the table, and nothing else', () => {
  const controllers = [
    JobsController,
    InventoryController,
    SystemController,
    ...ACCESS_CONTROLLERS,
    ...BATCHES_CONTROLLERS,
    ...DEAD_LETTERS_CONTROLLERS,
    ...NOTIFICATIONS_CONTROLLERS,
    ...RETENTION_CONTROLLERS,
    ...STATS_CONTROLLERS,
    ...VCENTERS_CONTROLLERS,
    ...WORKERS_CONTROLLERS,
  ];
  const served = controllers.flatMap((controller) =>
    Object.getOwnPropertyNames(controller.prototype)
      .map((name) => Reflect.getMetadata(ROUTE, controller.prototype[name as never]) as Route | undefined)
      .filter((route) => route !== undefined),
  );
  expect(addresses(served)).toEqual(addresses(Object.values(ROUTES)));
  for (const route of served) expect(Object.values<Route>(ROUTES)).toContain(route);
});

it('describes each route with its parameters', () => {
  expect(operations.map((operation) => operation.operationId).toSorted()).toEqual(Object.keys(ROUTES).toSorted());
  const parameters = document.paths['/api/v1/jobs']?.['get']?.parameters?.map((parameter) => parameter.name);
  expect(parameters).toEqual(['status', 'vm', 'tag', 'batch', 'since', 'limit', 'cursor']);
  const ofLogs = document.paths['/api/v1/jobs/{id}/logs']?.['get']?.parameters;
  expect(ofLogs?.map(({ name, in: place }) => `${place} ${name}`)).toEqual(
    expect.arrayContaining(['path id', 'query tail', 'query follow']),
  );
});

const operation = (id: keyof typeof ROUTES): Operation => {
  const found = operations.find(({ operationId }) => operationId === id);
  if (found === undefined) throw new Error(`no operation ${id}`);
  return found;
};

it('tells the role that each operation needs, and which answer anybody', () => {
  expect(operation('health').security).toEqual([]);
  expect(operation('health')['x-role']).toBeUndefined();
  for (const [id, role] of [
    ['jobs', 'viewer'],
    ['vms', 'operator'],
    ['convert', 'operator'],
    ['createToken', 'admin'],
  ] as const)
    expect(operation(id)).toMatchObject({ 'x-role': role, security: [{ token: [] }, {}] });
});

it('tells every status that an operation may answer', () => {
  const statuses = (id: keyof typeof ROUTES): string[] => Object.keys(operation(id).responses);
  expect(statuses('whoami')).toEqual(['200', '401', '403', '429', '500', '503']);
  expect(statuses('cancel')).toEqual([
    '200',
    '400',
    '401',
    '403',
    '404',
    '409',
    '413',
    '414',
    '415',
    '429',
    '500',
    '503',
  ]);
  // A POST may come with an Idempotency-Key that is still worked on, or was used for something else.
  expect(statuses('rotateSecrets')).toEqual([
    '200',
    '400',
    '401',
    '403',
    '409',
    '413',
    '415',
    '422',
    '429',
    '500',
    '503',
  ]);
  expect(operation('cancel').parameters?.map(({ name }) => name)).toEqual(['id']);
  expect(operation('rotateSecrets').parameters?.map(({ name }) => name)).toEqual(['Idempotency-Key']);
  // 503 with the health itself, not with a problem.
  expect(Object.keys(operation('health').responses['503']?.content ?? {})).toEqual(['application/json']);
});

it('tells answers without a body, and those of two kinds', () => {
  expect(operation('dropDeadLetter').responses['204']).toEqual({ description: 'Done' });
  expect(Object.keys(operation('logs').responses['200']?.content ?? {})).toEqual([
    'application/json',
    'text/event-stream',
  ]);
});

it('names the schemas of all bodies and answers', () => {
  for (const { operationId, requestBody, responses } of operations) {
    const contents = [requestBody?.content, ...Object.values(responses).map(({ content }) => content)];
    const inline = contents
      .flatMap((content) => Object.entries(content ?? {}))
      .filter(([type, { schema }]) => type.includes('json') && !('$ref' in schema))
      .map(() => operationId);
    expect(inline).toEqual(operationId === 'openapi' ? ['openapi'] : []);
  }
  expect(operation('retry').requestBody?.content['application/json']?.schema.$ref).toMatch(/RetryRequest$/);
});

it('resolves every reference, and keeps defaults out of what a caller must give', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(
    ([, name]) => name,
  );
  expect(references.length).toBeGreaterThan(8);
  for (const name of references) expect(document.components.schemas).toHaveProperty(name ?? '');
  expect(document.components.schemas['ConvertRequest']?.required).toEqual(['vm_name']);
  expect(document.components.schemas['VmListRequest']?.required).toBeUndefined();
});
