import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_MS = 20;

export interface ProcessWatch {
  /** Of the processes watched and all their children: arguments, one text per process. */
  arguments(): string;
  environments(): string;
  /** How many were seen. */
  count(): number;
  stop(): Promise<void>;
}

/**
 * Looks at processes and their children again and again, since most live for moments.
 * @param roots ids of the processes; may be added to
 * @param quiet ids of those whose environment is not looked at: it is the way in of their secrets
 */
export function watchProcesses(roots: readonly number[], quiet: readonly number[] = []): ProcessWatch {
  const commands = new Set<string>();
  const environments = new Set<string>();
  const seen = new Set<number>();
  const stop = new AbortController();
  const look = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      for (const pid of await familyOf(roots)) {
        const [command, environment] = await Promise.all([procFile(pid, 'cmdline'), procFile(pid, 'environ')]);
        if (command === '') continue;
        seen.add(pid);
        commands.add(command);
        if (!quiet.includes(pid)) environments.add(environment);
      }
      await sleep(PAUSE_MS);
    }
  };
  const looking = look();
  return {
    arguments: () => [...commands].join('\n'),
    environments: () => [...environments].join('\n'),
    count: () => seen.size,
    stop: async () => {
      stop.abort();
      await looking;
    },
  };
}

async function familyOf(roots: readonly number[]): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const parents = new Map<number, number>();
  await Promise.all(
    pids.map(async (pid) => {
      // The name of a command, in parentheses, may hold blanks and parentheses.
      const [, parent] = /.*\) \S (\d+)/s.exec(await procFile(pid, 'stat')) ?? [];
      if (parent !== undefined) parents.set(pid, Number(parent));
    }),
  );
  const belongs = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at))
      if (roots.includes(at)) return true;
    return false;
  };
  return pids.filter(belongs);
}

async function procFile(pid: number, name: string): Promise<string> {
  return readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
}
