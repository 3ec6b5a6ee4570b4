import { createServer, type Server } from 'node:http';
import { registry } from '../telemetry/metrics.js';

/** `127.0.0.1:9464` or `[::1]:9464` → host and port. */
export function parseListen(listen: string): { host: string; port: number } {
  const match = /^\[?([^\]]*)\]?:(\d+)$/.exec(listen);
  if (!match) throw new Error(`"${listen}" is not host:port`);
  return { host: match[1] === '' ? '0.0.0.0' : (match[1] ?? ''), port: Number(match[2]) };
}

/** /health and /metrics of a service that has no API of its own. */
export async function startHealthServer(
  listen: string,
  health: () => Promise<Record<string, unknown> & { status: string }>,
): Promise<Server> {
  const server = createServer((request, response) => {
    void (async () => {
      if (request.url === '/metrics') {
        response.setHeader('content-type', registry.contentType);
        response.end(await registry.metrics());
      } else if (request.url === '/health') {
        const answer = await health();
        response.statusCode = answer.status === 'healthy' ? 200 : 503;
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(answer));
      } else {
        response.statusCode = 404;
        response.end();
      }
    })().catch(() => response.destroy());
  });
  const { host, port } = parseListen(listen);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return server;
}
