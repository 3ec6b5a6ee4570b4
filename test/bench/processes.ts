/** Memory of a process and all that it started. */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const SAMPLE_MS = 50;

export interface Peak {
  /** Sum of VmHWM of all processes alive at one time, bytes: never less than what they had together. */
  total: number;
  /** The largest of each command; the process itself is `self`. */
  commands: Record<string, number>;
}

/**
 * Samples until stopped. VmHWM only grows, so a sample misses nothing but processes shorter than the interval.
 * @param countSelf false where the process only starts others, as a shell would
 */
export function watchMemory(pid: number, countSelf = true): { stop(): Promise<Peak> } {
  const peak: Peak = { total: 0, commands: {} };
  const over = new AbortController();
  const done = (async () => {
    while (!over.signal.aborted) {
      let total = 0;
      for (const { id, name, hwm } of await family(pid)) {
        if (id === pid && !countSelf) continue;
        total += hwm;
        const command = id === pid ? 'self' : name;
        peak.commands[command] = Math.max(peak.commands[command] ?? 0, hwm);
      }
      peak.total = Math.max(peak.total, total);
      await sleep(SAMPLE_MS, undefined, { signal: over.signal }).catch(() => {});
    }
  })();
  return {
    stop: async () => {
      over.abort();
      await done;
      return peak;
    },
  };
}

/** The process and all its descendants. `hwm` in bytes. */
export async function family(root: number): Promise<{ id: number; name: string; hwm: number }[]> {
  const all = await Promise.all(
    (await readdir('/proc'))
      .filter((name) => /^\d+$/.test(name))
      .map(async (name) => {
        const status = await readFile(`/proc/${name}/status`, 'utf8').catch(() => '');
        const field = (key: string): string => new RegExp(`^${key}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? '0';
        return {
          id: Number(name),
          parent: Number(field('PPid')),
          name: field('Name'),
          hwm: Number(field('VmHWM')) * 1024,
        };
      }),
  );
  const members = new Set([root]);
  for (let size = 0; size !== members.size;) {
    size = members.size;
    for (const process of all) if (members.has(process.parent)) members.add(process.id);
  }
  return all.filter(({ id }) => members.has(id));
}

/** What this process and its children used up; children count once they have ended and were waited for. */
export interface Usage {
  /** Seconds, user and system. */
  self: number;
  children: number;
  /**
   * Bytes of page cache made dirty and of direct writes, as the kernel counts them (`write_bytes`): what has to go to the
   * disk, also of files that were removed again.
   */
  written: number;
}

/** USER_HZ: the kernel tells /proc/<pid>/stat in hundredths of a second. */
const TICKS = 100;

export async function usage(): Promise<Usage> {
  const [times, io] = await Promise.all([cpuTimes('self'), readFile('/proc/self/io', 'utf8')]);
  return {
    ...times,
    written: Number(/^write_bytes: (\d+)/m.exec(io)?.[1] ?? 0),
  };
}

/** CPU seconds (user and system) of a process, and of those children of its that ended and were waited for. */
export async function cpuTimes(pid: number | 'self'): Promise<Pick<Usage, 'self' | 'children'>> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The command, in parentheses, may hold blanks: fields are counted from behind it (3 is the state).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const at = (field: number): number => Number(fields[field - 3] ?? 0) / TICKS;
  return { self: at(14) + at(15), children: at(16) + at(17) };
}
