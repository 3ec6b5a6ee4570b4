/**
 * A process of its own that takes OTLP over HTTP, so that what a collector costs is not counted. It tells its parent where it
 * listens, and what came whenever it is asked.
 */
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import type { AddressInfo } from 'node:net';

/** Of one kind (`/v1/traces`, `/v1/logs`). */
export interface Received {
  requests: number;
  bytes: number;
  /** Spans or records; known of JSON alone. */
  items: number;
}

const received: Record<string, Received> = {};
const ITEM = /"startTimeUnixNano"|"severityNumber"/g;

const server = createServer((request, response) => {
  void buffer(request).then((body) => {
    const of = (received[request.url ?? ''] ??= { requests: 0, bytes: 0, items: 0 });
    of.requests += 1;
    of.bytes += body.length;
    const text = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
    if (request.headers['content-type'] === 'application/json') of.items += text.toString().match(ITEM)?.length ?? 0;
    response.setHeader('content-type', 'application/json');
    response.end('{}');
  });
});
server.listen(0, '127.0.0.1', () => {
  process.send?.({ endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
process.on('message', () => process.send?.({ received }));
process.on('disconnect', () => process.exit(0));
