import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayUnreachable } from './errors.js';
import { EXIT } from './exit-codes.js';

const PAUSE_MS = 1_000;
/** The gateway may be restarted meanwhile; after this long somebody has to look. */
const GIVE_UP_MS = 15 * 60_000;

export interface PollOptions {
  readonly signal: AbortSignal;
  readonly pauseMs?: number | (() => number);
  readonly giveUpMs?: number;
}

/**
 * Asks again and again until the reader has seen enough or the signal is aborted.
 * @throws GatewayUnreachable when it stayed away for 15 minutes; whatever else `ask` throws
 */
export async function* poll<Answer>(ask: () => Promise<Answer>, options: PollOptions): AsyncGenerator<Answer> {
  let lostAt: number | undefined;
  while (!options.signal.aborted) {
    try {
      const answer = await ask();
      lostAt = undefined;
      yield answer;
    } catch (error) {
      if (!(error instanceof GatewayUnreachable)) throw error;
      lostAt ??= Date.now();
      if (Date.now() - lostAt > (options.giveUpMs ?? GIVE_UP_MS)) throw error;
    }
    const { pauseMs = PAUSE_MS } = options;
    await sleep(typeof pauseMs === 'number' ? pauseMs : pauseMs(), undefined, { signal: options.signal }).catch(
      () => {},
    );
  }
}

/**
 * A signal that is aborted by Ctrl-C (or SIGTERM); `release` gives both back to the process. The second one ends the process at
 * once: whoever presses it again does not want to wait for anything.
 */
export function interruption(): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort(new Error('interrupted'));
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    release: () => process.off('SIGINT', onSignal).off('SIGTERM', onSignal),
  };
}
