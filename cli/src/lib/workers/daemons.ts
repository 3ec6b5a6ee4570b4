import { Flags } from '@oclif/core';

/** Services whose workers take jobs. */
export const WORKING = ['exporter', 'converter'] as const;
export type Working = (typeof WORKING)[number];

/** The design's names of the daemons, and ours. */
const NAMES: Readonly<Record<string, Working>> = {
  exporter: 'exporter',
  go: 'exporter',
  hypervisord: 'exporter',
  converter: 'converter',
  python: 'converter',
  hyper2kvm: 'converter',
};

export const WORKING_NAMES = Object.keys(NAMES);

/** The service of a name that the flag took. */
export const workingOf = (name: string): Working => NAMES[name] ?? 'exporter';

export const DAEMON_FLAG = Flags.option({ options: WORKING_NAMES })({
  helpValue: 'exporter|converter',
  description: 'All exporters, or all converters; go and python are names for them.',
  exclusive: ['all'],
});
