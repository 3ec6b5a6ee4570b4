/** Real HTTP receivers on loopback that answer as they are told. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Got {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
export interface TestReceiver {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly got: Got[];
  close(): void;
}
/** A status, with headers or words; `cut`: the connection; `silence`: nothing at all. */
export type Answer = number | 'cut' | 'silence' | { status: number; headers?: Record<string, string>; text?: string };

const open = new Set<Server>();

/** @param answers one after the other; the last one repeats */
export async function receiver(
  answers: readonly Answer[],
  port = 0,
  meanwhile: () => unknown = () => undefined,
): Promise<TestReceiver> {
  const got: Got[] = [];
  const server = createServer((request, response) => {
    void text(request).then(async (body) => {
      const answer = answers[Math.min(got.length, answers.length - 1)] ?? 200;
      got.push({ headers: request.headers, body });
      await meanwhile();
      if (answer === 'cut') return request.socket.destroy();
      if (answer === 'silence') return undefined;
      const said = typeof answer === 'number' ? { status: answer } : answer;
      return response.writeHead(said.status, said.headers).end(said.text);
    });
  }).listen(port, '127.0.0.1');
  open.add(server);
  await once(server, 'listening');
  const { port: own } = server.address() as AddressInfo;
  const close = (): void => {
    server.closeAllConnections();
    server.close();
    open.delete(server);
  };
  return { url: `http://127.0.0.1:${own}/hooks/S3CRET`, host: `127.0.0.1:${own}`, port: own, got, close };
}

export function closeReceivers(): void {
  for (const server of open) {
    server.closeAllConnections();
    server.close();
  }
  open.clear();
}
