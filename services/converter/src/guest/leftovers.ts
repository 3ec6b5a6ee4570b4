/**
 * What libguestfs leaves in /tmp when it is killed: the socket of `guestfish --listen` and, for root, the folder of the
 * appliance's sockets, both at fixed places whatever TMPDIR says. They are noted in the work folder once known, so that
 * whoever clears the folder after a kill clears them too.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

const NOTE = 'appliance.json';
/** Nothing else is ever removed by a note. */
const OWN_PATHS = /^\/tmp\/(libguestfs[A-Za-z0-9]{6}|\.guestfish-\d+\/socket-\d+)$/;

export async function noteLeftovers(folder: string, paths: readonly string[]): Promise<void> {
  await writeFile(path.join(folder, NOTE), JSON.stringify(paths));
}

/** Removes what a note in the folder names; a folder without one is fine. */
export async function clearLeftovers(folder: string): Promise<void> {
  const note = await readFile(path.join(folder, NOTE), 'utf8').catch(() => undefined);
  if (note === undefined) return;
  for (const left of parse(note)) {
    if (OWN_PATHS.test(left)) await rm(left, { recursive: true, force: true });
  }
  await rm(path.join(folder, NOTE), { force: true });
}

function parse(note: string): string[] {
  try {
    const paths: unknown = JSON.parse(note);
    return Array.isArray(paths) ? paths.filter((entry) => typeof entry === 'string') : [];
  } catch {
    return [];
  }
}
