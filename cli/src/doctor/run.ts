import type { Check, Outcome } from './check.js';
import type { Machine } from './machine.js';

export interface Finding {
  readonly check: Check;
  readonly outcome: Outcome;
  readonly seconds: number;
}

/** Quick checks side by side, slow ones alone and last; each is told as soon as all before it are. */
export async function* examine(
  checks: readonly Check[],
  machine: Machine,
  signal: AbortSignal,
  begins: (check: Check) => void = () => {},
): AsyncGenerator<Finding> {
  const quick = new Map(
    checks.filter(({ slow }) => slow !== true).map((check) => [check, one(check, machine, signal)]),
  );
  for (const check of checks) {
    signal.throwIfAborted();
    begins(check);
    // The others are over before the first slow one begins: both cores are its own.
    if (check.slow === true) await Promise.all(quick.values());
    yield await (quick.get(check) ?? one(check, machine, signal));
  }
}

async function one(check: Check, machine: Machine, signal: AbortSignal): Promise<Finding> {
  const began = performance.now();
  const outcome = await check.run(machine, signal).catch((error: unknown): Outcome => ({
    verdict: 'failed',
    found: 'it could not be checked',
    why: error instanceof Error ? error.message : String(error),
  }));
  return { check, outcome, seconds: (performance.now() - began) / 1000 };
}
