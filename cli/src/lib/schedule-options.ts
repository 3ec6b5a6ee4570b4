import { Flags } from '@oclif/core';
import type { ConvertRequest, Hook } from '@hyper2kvm/contracts';
import type { z } from 'zod';
import { given } from './given.js';
import { parseAt } from './when.js';

/** When it starts, and who is told or asked. */
export const SCHEDULE_FLAGS = {
  at: Flags.string({
    helpGroup: 'SCHEDULE',
    description: 'Do not start before: 22:00, "tomorrow 22:00", +2h (local time), or RFC 3339.',
  }),
  window: Flags.string({
    helpGroup: 'SCHEDULE',
    helpValue: '"Sat 22:00-06:00 Europe/Berlin"',
    description: 'Start only while one of these windows is open (separated by ";"); what runs is not broken off.',
  }),
  'callback-url': Flags.string({ helpGroup: 'SCHEDULE', description: 'URL that hears of the end by a signed POST.' }),
  'hook-before': Flags.string({
    helpGroup: 'SCHEDULE',
    helpValue: 'NAME|URL',
    description:
      "Run before each VM: a command of the workers' allow-list, or a POST; a failure keeps the VM where it is.",
  }),
  'hook-after': Flags.string({
    helpGroup: 'SCHEDULE',
    helpValue: 'NAME|URL',
    description: 'Run after each VM, whatever its end.',
  }),
};

export interface ScheduleFlags {
  readonly at?: string | undefined;
  readonly window?: string | undefined;
  readonly 'callback-url'?: string | undefined;
  readonly 'hook-before'?: string | undefined;
  readonly 'hook-after'?: string | undefined;
}

type Options = NonNullable<z.input<typeof ConvertRequest>['options']>;

/** The part of the request's options. @throws UsageError about --at */
export function scheduleOptions(
  flags: ScheduleFlags,
  now: Date,
): Pick<Options, 'not_before' | 'window' | 'callback_url' | 'hooks'> {
  const before = hook(flags['hook-before']);
  const after = hook(flags['hook-after']);
  return {
    ...given('not_before', flags.at === undefined ? undefined : parseAt(flags.at, '--at', now).toISOString()),
    ...given('window', flags.window),
    ...given('callback_url', flags['callback-url']),
    ...(before === undefined && after === undefined
      ? {}
      : { hooks: { ...given('before', before), ...given('after', after) } }),
  };
}

/** Limits and what a failure means are the gateway's defaults; a manifest may say them. */
function hook(text: string | undefined): z.input<typeof Hook> | undefined {
  if (text === undefined) return undefined;
  return /^https?:\/\//i.test(text) ? { url: text } : { command: text };
}
