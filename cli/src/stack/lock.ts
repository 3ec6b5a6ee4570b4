import { readFileSync, statSync } from 'node:fs';
import { identify, type ProcessId } from './processes.js';

/** The supervisor, by the lock that it holds: also where what it wrote down is lost. Undefined where none runs. */
export function lockHolder(lock: string): ProcessId | undefined {
  try {
    const inode = String(statSync(lock).ino);
    // `1: FLOCK  ADVISORY  WRITE 4711 fe:00:1234567 0 EOF`, proc(5); numbers of devices differ between file systems and stat.
    const line = readFileSync('/proc/locks', 'utf8')
      .split('\n')
      .map((text) => text.trim().split(/\s+/))
      .find(([, kind, , , , file]) => kind === 'FLOCK' && file?.split(':')[2] === inode);
    const pid = Number(line?.[4]);
    return pid > 0 ? identify(pid) : undefined;
  } catch {
    return undefined;
  }
}
