import type { ErrorCode, Role } from '@hyper2kvm/contracts';
import { applyDecorators, HttpCode, RequestMapping, RequestMethod, SetMetadata } from '@nestjs/common';
import type { z } from 'zod';

/** One address of the API: what the controllers serve and what /openapi.json tells come from the same entry. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With `{name}` parameters. */
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
  readonly params?: Readonly<Record<string, z.ZodType>>;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Status of success. */
  readonly status: number;
  readonly answer: z.ZodType | 'text/plain' | 'text/event-stream' | 'application/json' | 'none';
  /** Another form of the answer, where the request asks for it. */
  readonly alternative?: 'text/csv' | 'text/event-stream';
  readonly errors: readonly ErrorCode[];
  /** Answers that are no success and no problem, by status. */
  readonly others?: Readonly<Record<number, z.ZodType>>;
  /** Answered without a token too. */
  readonly open?: boolean;
  /** The least role that may; default: viewer for GET, operator for the others. */
  readonly role?: Role;
  /** A POST that changes nothing: it is not in the audit, and not counted as a write. */
  readonly isQuestion?: boolean;
  /** Default: 1 MiB. */
  readonly bodyLimitBytes?: number;
}

/** The path as the router writes it: `/jobs/:id`. */
export const routerPath = (route: Route): string => route.path.replaceAll(/\{(\w+)\}/g, ':$1');

export const roleOf = (route: Route): Role => route.role ?? (route.method === 'GET' ? 'viewer' : 'operator');

export const ROUTE = Symbol('route');

/** Serves a route of the table with this method. */
export const Serve = (route: Route): MethodDecorator =>
  applyDecorators(
    RequestMapping({ path: routerPath(route), method: RequestMethod[route.method] }),
    HttpCode(route.status),
    SetMetadata(ROUTE, route),
  );
