import { access, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawnGuarded, type GuardedProcess } from '@hyper2kvm/runtime';
import { TPM_SOCKET } from './qemu.js';

/** Below the folder that QEMU runs in. */
export const TPM_STATE = 'tpm';
const LISTENS_WITHIN_MS = 10_000;

/** A blank TPM 2.0 for one proof; undefined where no swtpm is installed. `kill` ends it. */
export async function startTpm(folder: string, signal: AbortSignal): Promise<GuardedProcess | undefined> {
  await mkdir(path.join(folder, TPM_STATE), { mode: 0o700 });
  const control = ['--ctrl', `type=unixio,path=${TPM_SOCKET}`];
  const swtpm = spawnGuarded('swtpm', ['socket', '--tpm2', '--tpmstate', `dir=${TPM_STATE}`, ...control], {
    cwd: folder,
    signal,
    onLine: () => {},
  });
  const gone = swtpm.exited.then(() => true);
  for (let waited = 0; waited < LISTENS_WITHIN_MS; waited += 50) {
    const there = await access(path.join(folder, TPM_SOCKET)).then(
      () => true,
      () => false,
    );
    if (there) return swtpm;
    if (await Promise.race([gone, sleep(50, false, { signal })])) return undefined;
  }
  await swtpm.kill();
  return undefined;
}
