import { readFileSync } from 'node:fs';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import { JobError } from '@hyper2kvm/contracts';
import type { INestApplication } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { Gate, listenOnSocket } from '../access/index.js';
import type { GatewayConfig } from '../config.js';
import { measureHttp } from '../system/metrics-http.js';
import { PROBLEM_TYPE, problemOf } from './problem.js';
import { whyUnstorable } from './storable.js';
import { traceHttp } from './trace.js';

/** A request carries one VM's settings and a CA at most; routes that take more say so. */
const BODY_LIMIT_BYTES = 1024 * 1024;
/** Longer than any id or name, so that their own rules refuse what is too long. */
const MAX_PARAM_LENGTH = 1024;
/** For a request to be here as a whole; its answer may take longer. */
const REQUEST_TIMEOUT_MS = 120_000;

export function httpAdapter(config: GatewayConfig): FastifyAdapter {
  const common = {
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    // The address that the proxy in front saw: what stands before it in X-Forwarded-For is anybody's word.
    trustProxy: config.behind_proxy ? (_address: string, hop: number) => hop === 0 : false,
    // Followers stay connected for hours; a stop must not wait for them.
    forceCloseConnections: true,
    // What the router itself refuses (an address that cannot be decoded) comes past every hook and filter.
    frameworkErrors: (error: Error, _request: unknown, reply: FastifyReply) => {
      const { problem } = problemOf(error);
      void reply
        .code(problem.status)
        .headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
        .type(PROBLEM_TYPE)
        .send(JSON.stringify(problem));
    },
  };
  if (config.tls === undefined) return withoutForms(new FastifyAdapter(common));
  const https = { cert: readFileSync(config.tls.cert_file), key: readFileSync(config.tls.key_file) };
  return withoutForms(new FastifyAdapter({ ...common, https }));
}

/** JSON alone: a page of another site can make a browser send other kinds without asking. */
function withoutForms(adapter: FastifyAdapter): FastifyAdapter {
  adapter.getInstance<FastifyInstance>().removeContentTypeParser('text/plain');
  return adapter;
}

/** What every request passes, before any route is there. */
export async function configureHttp(app: INestApplication, config: GatewayConfig): Promise<void> {
  const fastify = app.getHttpAdapter().getInstance() as FastifyInstance;
  traceHttp(fastify);
  measureHttp(fastify);
  await fastify.register(helmet, {
    // No answer is a page.
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
    },
    // Told over TLS alone; behind a proxy it is the proxy's to tell.
    ...(config.tls === undefined ? { strictTransportSecurity: false as const } : {}),
  });
  fastify.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
  });
  // Here for all: the audit and the Idempotency-Key keep of it before a controller's own rules are asked.
  fastify.addHook('preValidation', async ({ body, params, query }) => {
    for (const part of [body, params, query]) {
      const why = whyUnstorable(part);
      if (why !== undefined) throw new JobError('BAD_REQUEST', `The request cannot be taken: ${why}.`);
    }
  });
  await fastify.register(rateLimit, { global: false });
  app.get(Gate).install(fastify);
}

/** The unix socket, where there is one; what stops it. */
export async function listenBesides(app: INestApplication, config: GatewayConfig): Promise<() => Promise<void>> {
  if (config.socket === undefined) return () => Promise.resolve();
  const fastify = app.getHttpAdapter().getInstance() as FastifyInstance;
  return listenOnSocket({ path: config.socket, group: config.socket_group }, (request, response) =>
    fastify.routing(request, response),
  );
}
