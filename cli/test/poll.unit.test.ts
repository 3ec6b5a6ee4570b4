import { describe, expect, it } from 'vitest';
import { CliError, GatewayUnreachable } from '../src/lib/errors.js';
import { poll } from '../src/lib/poll.js';

const away = new GatewayUnreachable('http://x', 'gone');
const never = new AbortController().signal;

/** Each answer in turn; errors are thrown. */
const answers = (...all: readonly unknown[]): (() => Promise<unknown>) => {
  const rest = [...all];
  return async () => {
    const next = rest.length > 1 ? rest.shift() : rest[0];
    if (next instanceof Error) throw next;
    return next;
  };
};

describe('asking again', () => {
  it('goes on while the gateway is away for a while', async () => {
    const seen = [];
    for await (const answer of poll(answers(1, away, away, 2), { signal: never, pauseMs: 1 })) {
      seen.push(answer);
      if (answer === 2) break;
    }
    expect(seen).toEqual([1, 2]);
  });

  it('ends when it stays away, and at any other error', async () => {
    const gone = poll(answers(away), { signal: never, pauseMs: 1, giveUpMs: 5 });
    await expect(gone.next()).rejects.toBe(away);
    const denied = new CliError('denied');
    await expect(poll(answers(denied), { signal: never }).next()).rejects.toBe(denied);
  });

  it('ends when it is told to, also in the middle of a pause', async () => {
    const stop = new AbortController();
    const asked = poll(answers(1), { signal: stop.signal, pauseMs: 60_000 });
    await asked.next();
    const next = asked.next();
    stop.abort();
    expect(await next).toEqual({ done: true, value: undefined });
  });
});
