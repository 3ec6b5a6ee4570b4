import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { noteLeftovers } from '../../guest/leftovers.js';

const LOOK_EVERY_MS = 1_000;

/**
 * Notes in the folder, while virt-v2v runs, where libguestfs keeps the sockets of its appliances: in /tmp, whatever TMPDIR
 * says. It removes them itself unless it is killed.
 * @param session id of the guarded session
 */
export async function noteSockets(folder: string, session: number, ended: AbortSignal): Promise<void> {
  const known = new Set<string>();
  while (!ended.aborted) {
    const count = known.size;
    for (const each of await socketFolders(session)) known.add(each);
    if (known.size > count) await noteLeftovers(folder, [...known]);
    await sleep(LOOK_EVERY_MS, undefined, { signal: ended }).catch(() => undefined);
  }
}

/** As the command lines of the session's processes name them. */
async function socketFolders(session: number): Promise<string[]> {
  const folders: string[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
    // The name may hold anything: the fields start after its closing bracket; the session is the fourth of them.
    if (stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3] !== String(session)) continue;
    const cmdline = await readFile(`/proc/${entry}/cmdline`, 'latin1').catch(() => '');
    folders.push(...[...cmdline.matchAll(/\/tmp\/libguestfs[A-Za-z0-9]{6}(?=\/)/g)].map(([folder]) => folder));
  }
  return folders;
}
