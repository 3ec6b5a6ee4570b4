import type { RouteOptions } from 'fastify';
import { expect, it } from 'vitest';
import { isChange, isStream, tie } from '../src/access/operation.js';
import { bearer, digest, newToken } from '../src/access/token-text.js';
import { GatewayConfig } from '../src/config.js';
import { ROUTES } from '../src/http/routes.js';

const tied = (method: string | string[], url: string): RouteOptions => {
  const options = { method, url, handler: () => {} } as unknown as RouteOptions;
  tie(options);
  return options;
};

it('ties each route to its entry, with its limit, and HEAD to GET', () => {
  expect(tied('POST', '/api/v1/jobs/:id/retry').config?.operation).toEqual({ name: 'retry', route: ROUTES.retry });
  expect(tied('HEAD', '/api/v1/tokens').config?.operation?.route).toBe(ROUTES.tokens);
  expect(tied('POST', '/api/v1/batches').bodyLimit).toBe(16 * 1024 * 1024);
});

it('serves nothing whose role nobody said', () => {
  expect(() => tied('GET', '/debug')).toThrow('GET /debug is served, but not in the table of routes');
  expect(() => tied('POST', '/api/v1/jobs')).toThrow('not in the table');
  expect(() => tied(['GET', 'POST'], '/api/v1/jobs')).toThrow('not in the table');
});

it('knows questions from changes, and what may go on for hours', () => {
  expect([ROUTES.jobs, ROUTES.vms, ROUTES.inspect, ROUTES.testVcenter].some(isChange)).toBe(false);
  expect([ROUTES.convert, ROUTES.cancel, ROUTES.patchJob, ROUTES.updateVcenter].every(isChange)).toBe(true);
  expect([ROUTES.events, ROUTES.logs, ROUTES.job].map(isStream)).toEqual([true, true, false]);
});

it('makes tokens of 256 random bits, and reads them from their header alone', () => {
  expect(Buffer.from(newToken().slice('h2k_'.length), 'base64url')).toHaveLength(32);
  expect(new Set(Array.from({ length: 50 }, newToken)).size).toBe(50);
  expect(digest('a')).toMatch(/^[0-9a-f]{64}$/);
  expect(['Bearer x', 'bearer  y', 'Basic x', 'Bearer', 'Bearer a b', undefined].map(bearer)).toEqual(
    Object.assign(Array.from({ length: 6 }), ['x', 'y']),
  );
});

const problems = (section: object): number => GatewayConfig.safeParse(section).error?.issues.length ?? 0;

it('needs the first token where authentication is on, unless the socket lets an admin in', () => {
  const api = { auth: { enabled: true } };
  expect(problems({ api })).toBe(1);
  expect(problems({ api, socket: '/run/hyper2kvm/gateway.sock' })).toBe(0);
  expect(problems({ socket: 'gateway.sock' })).toBe(1);
  expect(problems({ socket: `/${'x'.repeat(107)}` })).toBe(1);
  expect(GatewayConfig.parse({}).api.rate_limit).toEqual({ writes_per_minute: 600, failed_logins_per_minute: 10 });
  expect(problems({ api: { rate_limit: { writes_per_minute: -1 } } })).toBe(1);
});
