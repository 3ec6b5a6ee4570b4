/** Finds processes that a test left behind. */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

export interface FoundProcess {
  pid: number;
  /** Its arguments, joined by blanks. */
  command: string;
}

/**
 * Processes whose arguments or environment mention the marker: give each test's children a work folder or a variable
 * of their own, and look for that. This process and its ancestors do not count, nor do zombies.
 */
export async function processesMentioning(marker: string): Promise<FoundProcess[]> {
  const own = await ancestors();
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found: FoundProcess[] = [];
  for (const pid of pids) {
    if (own.has(pid)) continue;
    // A zombie has neither arguments nor environment; a process that ended meanwhile has no files.
    const [command, environment] = await Promise.all([procFile(pid, 'cmdline'), procFile(pid, 'environ')]);
    if (command.includes(marker) || environment.includes(marker)) {
      found.push({ pid, command: command.split('\0').join(' ').trim() });
    }
  }
  return found;
}

/** Waits until no process mentions the marker. @throws Error that names those left after the limit (ms) */
export async function expectNoProcesses(marker: string, limitMs = 5_000): Promise<void> {
  const end = Date.now() + limitMs;
  for (;;) {
    const left = await processesMentioning(marker);
    if (left.length === 0) return;
    if (Date.now() > end) {
      throw new Error(`processes were left: ${left.map(({ pid, command }) => `${pid} ${command}`).join('; ')}`);
    }
    await sleep(100);
  }
}

async function ancestors(): Promise<Set<number>> {
  const found = new Set<number>();
  for (let pid = process.pid; pid > 0 && !found.has(pid);) {
    found.add(pid);
    pid = Number(/^PPid:\s*(\d+)/m.exec(await procFile(pid, 'status'))?.[1] ?? 0);
  }
  return found;
}

async function procFile(pid: number, name: string): Promise<string> {
  return readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
}
