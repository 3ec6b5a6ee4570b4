import type { ChannelName } from './channels/index.js';
import type { NotifierConfig } from './config.js';

const FIRST_MS = 1_000;
const LONGEST_MS = 600_000;
/** What is over in less is not worth a message to the bus and back. */
const SHORTEST_MS = 250;

/** Before the next try of a target: what its other side asked for, else twice as long each time. In milliseconds. */
export const pauseAfter = (tries: number, asked: number | undefined): number =>
  Math.max(asked ?? Math.min(FIRST_MS * 2 ** Math.max(0, tries - 1), LONGEST_MS), SHORTEST_MS);

export const patienceHours = (channel: ChannelName, config: NotifierConfig): number =>
  (channel === 'webhook' ? config.webhook.give_up_after_hours : undefined) ?? config.give_up_after_hours;

/** @param since the first try, in milliseconds */
export const isGivenUp = (since: number, channel: ChannelName, config: NotifierConfig): boolean =>
  Date.now() - since > patienceHours(channel, config) * 3_600_000;

export const givenUp = (reason: string, channel: ChannelName, config: NotifierConfig): string =>
  `${reason}; given up after ${patienceHours(channel, config)} h`;
