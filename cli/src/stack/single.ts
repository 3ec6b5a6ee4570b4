import { setTimeout as sleep } from 'node:timers/promises';
import { CliError } from '../lib/errors.js';
import { logFile, stackPaths, type StackPaths } from './home.js';
import { isAlive, signal } from './processes.js';
import { readState, type ServiceState, type StackState } from './state.js';
import { isWanted, LOOK_AGAIN, setWanted } from './wanted.js';

/** A stop may wait for a service that hands back its work; longer than any service's own limit. */
const LIMIT_MS = 10 * 60_000;
const START_LIMIT_MS = 120_000;
/** One that died so often since it was started will not come up. */
const DEATHS = 3;

/** The state of a stack whose supervisor runs. */
export function runningState(home: string): StackState | undefined {
  const state = readState(stackPaths(home).state);
  return state !== undefined && isAlive(state.supervisor) ? state : undefined;
}

/**
 * Has the supervisor run a service, or keep it stopped, and waits until it is so.
 * @returns false when it was so already
 * @throws CliError when it does not come to pass
 */
export async function setService(home: string, service: string, wanted: boolean): Promise<boolean> {
  const paths = stackPaths(home);
  const state = runningState(home);
  if (state === undefined) throw new CliError(`the local stack in ${home} is not running`);
  const before = state.services[service];
  if (before === undefined)
    throw new CliError(`the local stack was started without ${service}`, {
      advice: 'hyperctl daemon restart --all',
    });
  const isSo = (one: ServiceState): boolean => one.wanted === wanted && one.state === (wanted ? 'running' : 'stopped');
  if (isSo(before) && isWanted(paths, service) === wanted) return false;
  mark(paths, service, wanted);
  try {
    signal(state.supervisor, LOOK_AGAIN);
  } catch (error) {
    throw notYours(home, error);
  }
  const end = Date.now() + (wanted ? START_LIMIT_MS : LIMIT_MS);
  for (;;) {
    const now = runningState(home)?.services[service];
    if (now === undefined)
      throw new CliError(`the supervisor of ${home} has ended`, { advice: `look at ${paths.logs}` });
    if (isSo(now)) return true;
    const log = { advice: `look at ${logFile(paths, service)}` };
    if (wanted && now.restarts - before.restarts >= DEATHS) throw new CliError(`${service} does not start`, log);
    if (Date.now() > end) throw new CliError(`${service} has not ${wanted ? 'started' : 'stopped'} in time`, log);
    await sleep(50);
  }
}

/** @throws CliError where the home is another user's */
export function mark(paths: StackPaths, service: string, wanted: boolean): void {
  try {
    setWanted(paths, service, wanted);
  } catch (error) {
    throw notYours(paths.home, error);
  }
}

const notYours = (home: string, error: unknown): CliError => {
  const { code, message } = error as NodeJS.ErrnoException;
  const denied = code === 'EACCES' || code === 'EPERM';
  return new CliError(`${home} cannot be written: ${message}`, {
    advice: denied
      ? 'it is the stack of another user: sudo hyperctl daemon …, or another --home'
      : code === 'ENOSPC'
        ? 'make room there'
        : undefined,
  });
};
