/** A lock between processes of one machine: a file that holds its owner's pid. */
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** Runs the action while this process holds the lock; waits for a living owner, takes over from a dead one. */
export async function withLock(file: string, say: (text: string) => void, action: () => Promise<void>): Promise<void> {
  const own = `${file}.${process.pid}`;
  // Linked rather than created: the file then has its content from the first moment that others see it.
  await writeFile(own, String(process.pid));
  try {
    for (let waited = 0; !(await tryLink(own, file)); waited += 1) {
      const owner = Number(await readFile(file, 'utf8').catch(() => ''));
      if (owner > 0 && !alive(owner)) {
        await rm(`${file}.${owner}`, { force: true });
        await rm(file, { force: true });
      } else {
        if (waited === 0) say(`waiting for process ${owner}, which is building it`);
        await sleep(500);
      }
    }
    try {
      await action();
    } finally {
      await rm(file, { force: true });
    }
  } finally {
    await rm(own, { force: true });
  }
}

async function tryLink(own: string, file: string): Promise<boolean> {
  try {
    await link(own, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
