/** Who is told beside people with mail: a Slack that takes everything, a system that does, and one that is not there any more. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';

export interface Receiver {
  /** Keys of the notifier's configuration. */
  readonly slack: { readonly webhooks: Record<string, string> };
  readonly endpoints: Record<string, { readonly url: string }>;
  /** Gives with GET what came with POST, as `{path, body}[]`. */
  readonly url: string;
  stop(): void;
}

/** @param gone whether there is an endpoint `gone` that answers 410 */
export async function startReceiver(gone: boolean): Promise<Receiver> {
  const seen: { path: string; body: string }[] = [];
  const server = createServer((request, response) => {
    const { url: path = '/', method } = request;
    if (method === 'GET') return void response.end(JSON.stringify(seen));
    void readText(request).then((body) => {
      seen.push({ path, body });
      response.statusCode = path.startsWith('/gone') ? 410 : 200;
      response.end(path.startsWith('/services/') ? 'ok' : '');
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    slack: { webhooks: { ops: `${url}/services/T0/B0/geheim` } },
    endpoints: { cmdb: { url: `${url}/cmdb/geheim` }, ...(gone ? { gone: { url: `${url}/gone/geheim` } } : {}) },
    url,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
