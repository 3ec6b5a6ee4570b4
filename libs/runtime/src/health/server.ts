import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Live, Ready } from '@hyper2kvm/contracts';
import { registry } from '../telemetry/metrics.js';

/** `127.0.0.1:9464` or `[::1]:9464` → host and port. */
export function parseListen(listen: string): { host: string; port: number } {
  const match = /^\[?([^\]]*)\]?:(\d+)$/.exec(listen);
  if (!match) throw new Error(`"${listen}" is not host:port`);
  return { host: match[1] === '' ? '0.0.0.0' : (match[1] ?? ''), port: Number(match[2]) };
}

export interface HealthAnswers {
  readonly health: () => Promise<Record<string, unknown> & { status: string }>;
  readonly live: () => Live;
  readonly ready: () => Promise<Ready>;
}

/** /health, /health/live, /health/ready and /metrics of a service that has no API of its own. */
export async function startHealthServer(listen: string, answers: HealthAnswers): Promise<Server> {
  const server = createServer((request, response) => {
    void answer(request.url ?? '', answers, response).catch(() => response.destroy());
  });
  const { host, port } = parseListen(listen);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return server;
}

async function answer(url: string, { health, live, ready }: HealthAnswers, response: ServerResponse): Promise<void> {
  const [path = ''] = url.split('?', 1);
  switch (path) {
    case '/metrics':
      response.setHeader('content-type', registry.contentType);
      response.end(await registry.metrics());
      return;
    case '/health':
      return json(response, await health(), (status) => status !== 'unhealthy');
    case '/health/live':
      return json(response, live(), () => true);
    case '/health/ready':
      return json(response, await ready(), (status) => status === 'ready');
    default:
      response.statusCode = 404;
      response.end();
  }
}

function json(response: ServerResponse, body: { readonly status: string }, isGood: (status: string) => boolean): void {
  response.statusCode = isGood(body.status) ? 200 : 503;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(body));
}
