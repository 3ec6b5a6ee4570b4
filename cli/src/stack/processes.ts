import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process that is meant, not merely its number: a number is given again, the start time of its first owner is not. */
export interface ProcessId {
  readonly pid: number;
  /** Clock ticks since boot (field 22 of /proc/<pid>/stat). */
  readonly start_time: number;
}

interface Stat {
  readonly state: string;
  readonly ppid: number;
  readonly startTime: number;
}

function stat(pid: number): Stat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The second field is the command in parentheses, which may hold blanks and parentheses itself.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', ppid: Number(fields[1]), startTime: Number(fields[19]) };
}

/** Who has this number now; undefined when nobody has. */
export function identify(pid: number): ProcessId | undefined {
  const found = stat(pid);
  return found === undefined ? undefined : { pid, start_time: found.startTime };
}

/** True while exactly this process runs; a zombie does not. */
export function isAlive(id: ProcessId): boolean {
  const found = stat(id.pid);
  return found !== undefined && found.startTime === id.start_time && found.state !== 'Z' && found.state !== 'X';
}

/** Signals exactly this process; nothing happens when its number belongs to another one now. */
export function signal(id: ProcessId, name: NodeJS.Signals): void {
  if (!isAlive(id)) return;
  try {
    process.kill(id.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Waits until all are gone. @returns those that are left after the limit */
export async function waitGone(ids: readonly ProcessId[], limitMs: number): Promise<ProcessId[]> {
  const end = Date.now() + limitMs;
  for (;;) {
    const left = ids.filter(isAlive);
    if (left.length === 0 || Date.now() > end) return left;
    await sleep(50);
  }
}

const commandLine = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
};

/**
 * The command that runs under a guard: its child that is no copy of the guard itself (its watcher is one, and so is the child
 * until it has become the command). Undefined until then.
 */
export function guardedChild(guardPid: number): ProcessId | undefined {
  const own = commandLine(guardPid);
  if (own === '') return undefined;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const pid = Number(name);
    const found = stat(pid);
    if (found === undefined || found.ppid !== guardPid || found.state === 'Z') continue;
    const line = commandLine(pid);
    if (line !== '' && line !== own) return { pid, start_time: found.startTime };
  }
  return undefined;
}
