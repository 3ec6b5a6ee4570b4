import { gauge, histogram, MILLISECONDS_TO_SECONDS } from '@hyper2kvm/runtime';
import type { FastifyInstance } from 'fastify';

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

const seconds = histogram<'method' | 'route' | 'status'>(
  'hyper2kvm_http_request_duration_seconds',
  'Time until a request was answered, by route; event streams are not among them',
  { method: 'any', route: 'any', status: 'any' },
  { buckets: MILLISECONDS_TO_SECONDS },
);

export const openStreams = gauge('hyper2kvm_event_streams', 'Event streams (server-sent events) that are open');

/** Each request by the template of its route: what stands in an address never becomes a label. */
export function measureHttp(fastify: FastifyInstance): void {
  fastify.addHook('onResponse', async (request, reply) => {
    // These last as long as somebody looks on.
    if (String(reply.raw.getHeader('content-type') ?? '').startsWith('text/event-stream')) return;
    const { url } = request.routeOptions;
    const route = request.is404 || url === undefined ? 'none' : url;
    const method = METHODS.has(request.method) ? request.method : 'other';
    seconds.observe({ method, route, status: String(reply.statusCode) }, reply.elapsedTime / 1000);
  });
}
