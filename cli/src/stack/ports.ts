import { createServer } from 'node:net';

const HOST = '127.0.0.1';

/** True when nobody listens there. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: HOST, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** A port that the system gives, free just now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port: 0, host: HOST }, () => {
      const address = server.address();
      server.close(() =>
        address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}

/** `first`, or the next one after it that is free. */
export async function nextFreePort(first: number, tries = 200): Promise<number> {
  for (let port = first; port < first + tries && port <= 65_535; port += 1) if (await isFree(port)) return port;
  return freePort();
}
