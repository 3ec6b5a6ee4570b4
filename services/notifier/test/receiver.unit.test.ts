import { RetryLater } from '@hyper2kvm/runtime';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Receiver } from '../src/channels/receiver.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('one for whom too many wait has the others come again ever later, until nobody waits', async () => {
  const receiver = new Receiver({ calls: 1, firstPauseMs: 1, isSilence: () => false });
  let ends: (() => void)[] = [];
  const call = (): Promise<void> => new Promise((end) => ends.push(end));
  const crowd = (): Promise<void>[] => Array.from({ length: 65 }, async () => receiver.take(call));
  const turnedAway = async (): Promise<number> => {
    const error: unknown = await receiver.take(call).catch((caught: unknown) => caught);
    return error instanceof RetryLater ? error.afterMs : Number.NaN;
  };
  let taken = crowd();
  expect(await turnedAway()).toBe(2_000);
  vi.setSystemTime(Date.now() + 20_000);
  expect(await turnedAway()).toBe(20_000);
  vi.setSystemTime(Date.now() + 3_600_000);
  expect(await turnedAway()).toBe(60_000);
  for (let at = 0; at < 65; at += 1) {
    for (const end of ends) end();
    await vi.advanceTimersByTimeAsync(0);
  }
  await Promise.all(taken);
  ends = [];
  taken = crowd();
  expect(await turnedAway()).toBe(2_000);
});
