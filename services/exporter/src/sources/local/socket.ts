import { open, rm } from 'node:fs/promises';
import path from 'node:path';

/** What a unix socket's address has room for. */
const MAX_PATH_BYTES = 107;
/** Several exports of one process may serve at the same time. */
let last = 0;

/**
 * A name for a socket in this folder. Under its plain name QEMU removes it when it ends, also after this process was killed.
 * A folder whose name is too long is named by a descriptor of ours, which ends with us.
 */
export async function openSocket(folder: string): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const name = `.source-${process.pid}-${++last}.nbd`;
  const plain = path.join(folder, name);
  if (Buffer.byteLength(plain) <= MAX_PATH_BYTES) return { path: plain, remove: () => rm(plain, { force: true }) };
  const handle = await open(folder, 'r');
  return {
    path: `/proc/${process.pid}/fd/${handle.fd}/${name}`,
    remove: async () => {
      await handle.close();
      await rm(plain, { force: true });
    },
  };
}
