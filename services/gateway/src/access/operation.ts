import type { FastifyRequest, RouteOptions } from 'fastify';
import { routerPath, type Route } from '../http/route.js';
import { ROUTES } from '../http/routes.js';

/** A route of the table with its name, which is the operation's id in /openapi.json. */
export interface Operation {
  readonly name: string;
  readonly route: Route;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    operation?: Operation;
  }
}

const OPERATIONS = new Map(
  Object.entries<Route>(ROUTES).map(([name, route]): [string, Operation] => [
    `${route.method} ${routerPath(route)}`,
    { name, route },
  ]),
);

/**
 * Ties a route of the router to its entry of the table, so that hooks know it before the body is read.
 * @throws Error for a route that is in no table: nobody would ask for its role
 */
export function tie(options: RouteOptions): void {
  const [method, ...others] = [options.method].flat();
  // Fastify answers HEAD where there is a GET.
  const operation = OPERATIONS.get(`${method === 'HEAD' ? 'GET' : method} ${options.url}`);
  if (operation === undefined || others.length > 0)
    throw new Error(`${String(options.method)} ${options.url} is served, but not in the table of routes`);
  options.config = { ...options.config, operation };
  if (operation.route.bodyLimitBytes !== undefined) options.bodyLimit = operation.route.bodyLimitBytes;
}

/** Undefined where there is no such address. */
export const operationOf = (request: FastifyRequest): Operation | undefined => request.routeOptions.config.operation;

/** Whether a request asks for a change: it is in the audit, and counted. */
export const isChange = (route: Route): boolean => route.method !== 'GET' && route.isQuestion !== true;

/** Whether answers may go on for hours. */
export const isStream = (route: Route): boolean =>
  route.answer === 'text/event-stream' || route.alternative === 'text/event-stream';
