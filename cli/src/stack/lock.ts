import { readFileSync, statSync } from 'node:fs';
import { stackPaths } from './home.js';
import { identify, type ProcessId } from './processes.js';

/** The supervisor, by the lock that it holds: also where what it wrote down is lost. Undefined where none runs. */
export function lockHolder(lock: string): ProcessId | undefined {
  try {
    const inode = String(statSync(lock).ino);
    // `1: FLOCK  ADVISORY  WRITE 4711 fe:00:1234567 0 EOF`, proc(5); numbers of devices differ between file systems and stat.
    const holder = readFileSync('/proc/locks', 'utf8')
      .split('\n')
      .map((text) => text.trim().split(/\s+/))
      .filter(([, kind, , , , file]) => kind === 'FLOCK' && file?.split(':')[2] === inode)
      .map(([, , , , pid]) => Number(pid))
      // A file of another file system may have the same number: what holds a lock there is not ours to end.
      .find((pid) => pid > 0 && isOf(pid, lock));
    return holder === undefined ? undefined : identify(holder);
  } catch {
    return undefined;
  }
}

/** A supervisor says whose it is: `… main.js --home /var/lib/hyper2kvm …`. */
function isOf(pid: number, lock: string): boolean {
  const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  const home = args[args.indexOf('--home') + 1] ?? '';
  const [own, ours] = [stackPaths(home).lock, lock].map((file) => statSync(file, { throwIfNoEntry: false }));
  return own !== undefined && own.dev === ours?.dev && own.ino === ours.ino;
}
