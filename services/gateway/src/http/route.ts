import type { ErrorCode } from '@hyper2kvm/contracts';
import { applyDecorators, HttpCode, RequestMapping, RequestMethod, SetMetadata } from '@nestjs/common';
import type { z } from 'zod';

/** One address of the API: what the controllers serve and what /openapi.json tells come from the same entry. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** With `{name}` parameters. */
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
  readonly params?: Readonly<Record<string, z.ZodType>>;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Status of success. */
  readonly status: number;
  readonly answer: z.ZodType | 'text/plain' | 'text/event-stream' | 'application/json';
  readonly errors: readonly ErrorCode[];
  /** Answered without a token too. */
  readonly open?: boolean;
}

export const ROUTE = Symbol('route');

/** Serves a route of the table with this method. */
export const Serve = (route: Route): MethodDecorator =>
  applyDecorators(
    RequestMapping({ path: route.path.replaceAll(/\{(\w+)\}/g, ':$1'), method: RequestMethod[route.method] }),
    HttpCode(route.status),
    SetMetadata(ROUTE, route),
  );
