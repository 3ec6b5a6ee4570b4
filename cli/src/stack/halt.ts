import { CliError } from '../lib/errors.js';
import { stackPaths } from './home.js';
import { lockHolder } from './lock.js';
import { isAlive, signal, waitGone, type ProcessId } from './processes.js';
import { readState, removeState, type StackState } from './state.js';

/** A stop may wait for a service that hands back its work; longer than any service's own limit. */
const STOP_LIMIT_MS = 10 * 60_000;
/** What the supervisor left when it was killed ends by itself in about a second. */
const ORPHAN_LIMIT_MS = 5_000;
const KILL_LIMIT_MS = 5_000;

export interface Halted {
  /** False when nothing ran. */
  readonly ran: boolean;
  /** Services that were running. */
  readonly stopped: readonly string[];
  /** True when its supervisor had been killed before. */
  readonly orphaned: boolean;
}

/** Every process that the state names, guards and all. */
export const processesOf = (state: StackState): ProcessId[] => [
  state.supervisor,
  ...Object.values(state.services).flatMap(({ process, guard }) => [process, guard].filter((id) => id !== null)),
];

/** Stops the stack and waits until none of its processes is left. A number that another process has by now is never touched. */
export async function halt(home: string): Promise<Halted> {
  const paths = stackPaths(home);
  const state = readState(paths.state);
  if (state === undefined) {
    // Lost or unreadable; its processes are the supervisor's to end.
    const holder = lockHolder(paths.lock);
    if (holder !== undefined) await endSupervisor(holder, paths.logs);
    removeState(paths.state);
    return { ran: holder !== undefined, stopped: [], orphaned: false };
  }
  const stopped = Object.entries(state.services)
    .filter(([, service]) => service.process !== null && isAlive(service.process))
    .map(([name]) => name);
  const supervised = isAlive(state.supervisor);
  // Services may be started anew until the supervisor is gone, so its last state counts, not the one read here.
  if (supervised) await endSupervisor(state.supervisor, paths.logs);
  await end(processesOf(state));
  removeState(paths.state);
  return { ran: supervised || stopped.length > 0, stopped, orphaned: !supervised && stopped.length > 0 };
}

async function endSupervisor(id: ProcessId, logs: string): Promise<void> {
  try {
    signal(id, 'SIGTERM');
  } catch (error) {
    throw new CliError(`the supervisor (pid ${id.pid}) cannot be stopped: ${(error as Error).message}`, {
      advice: "it is another user's: sudo hyperctl daemon stop --all",
    });
  }
  const late = await waitGone([id], STOP_LIMIT_MS);
  if (late.length > 0)
    throw new CliError(`the supervisor (pid ${id.pid}) has not stopped`, { advice: `look at ${logs}` });
}

async function end(ids: readonly ProcessId[]): Promise<void> {
  let left = await waitGone(ids, ORPHAN_LIMIT_MS);
  for (const id of left) signal(id, 'SIGKILL');
  left = await waitGone(left, KILL_LIMIT_MS);
  if (left.length > 0) throw new CliError(`processes are left: ${left.map(({ pid }) => pid).join(', ')}`);
}
