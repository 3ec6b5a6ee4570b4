/** Free ports on the loopback interface. */
import { createServer } from 'node:net';

/** A TCP port of 127.0.0.1 that nobody listens on now. Prefer port 0 where a program can report what it got. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  if (address === null || typeof address === 'string') throw new Error('no TCP port was given');
  return address.port;
}
