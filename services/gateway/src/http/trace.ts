import { Entry } from '@hyper2kvm/runtime';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/**
 * Each change that is asked for is a span; questions are none: lists, polls, followers and scrapes would bury what happens to jobs.
 * Before all other hooks.
 */
export function traceHttp(fastify: FastifyInstance): void {
  const entries = new WeakMap<FastifyRequest, Entry>();
  fastify.addHook('onRequest', (request, _reply, done) => {
    const entry = entryOf(request);
    entries.set(request, entry);
    entry.run(done);
  });
  // What read the body called back from outside.
  fastify.addHook('preValidation', (request, _reply, done) => {
    const entry = entries.get(request);
    if (entry === undefined) done();
    else entry.run(done);
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    entries.get(request)?.end(reply.statusCode);
    done();
  });
}

function entryOf({ headers, method, routeOptions }: FastifyRequest): Entry {
  const traceparent = typeof headers.traceparent === 'string' ? headers.traceparent : undefined;
  if (method === 'GET' || method === 'HEAD') return Entry.silent(traceparent);
  const { url: route } = routeOptions;
  return Entry.span(
    route === undefined ? method : `${method} ${route}`,
    { 'http.request.method': method, ...(route === undefined ? {} : { 'http.route': route }) },
    traceparent,
  );
}
