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
import { RETENTION_CONTROLLERS } from '../src/retention/index.js';
import { STATS_CONTROLLERS } from '../src/stats/index.js';
import { VCENTERS_CONTROLLERS } from '../src/vcenters/index.js';
import { WORKERS_CONTROLLERS } from '../src/workers/index.js';

interface Operation {
  operationId: string;
  parameters?: { name: string; in: string }[];
  requestBody?: { content: Record<string, { schema: { $ref: string } }> };
  responses: Record<string, unknown>;
}
const document = openApiDocument() as unknown as {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, { required?: string[]; properties: object }> };
};

it('serves each route of the table, and nothing else', () => {
  const controllers = [
    JobsController,
    InventoryController,
    SystemController,
    ...ACCESS_CONTROLLERS,
    ...BATCHES_CONTROLLERS,
    ...DEAD_LETTERS_CONTROLLERS,
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
  expect(new Set(served)).toEqual(new Set(Object.values(ROUTES)));
  expect(served).toHaveLength(Object.values(ROUTES).length);
});

it('describes each route with its parameters', () => {
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
  expect(operations.map((operation) => operation.operationId).toSorted()).toEqual(Object.keys(ROUTES).toSorted());
  const parameters = document.paths['/api/v1/jobs']?.['get']?.parameters?.map((parameter) => parameter.name);
  expect(parameters).toEqual(['status', 'vm', 'tag', 'batch', 'since', 'limit', 'cursor']);
  expect(document.paths['/api/v1/jobs/{id}/logs']?.['get']?.parameters).toMatchObject([
    { name: 'id', in: 'path' },
    { name: 'tail', in: 'query' },
  ]);
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
