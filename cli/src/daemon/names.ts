import { UsageError } from '../lib/errors.js';
import { didYouMean, nearest } from '../lib/near.js';

/** In the order in which they are shown. */
export const SERVICE_NAMES = ['gateway', 'exporter', 'converter', 'notifier', 'nats', 'postgres'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** The design's names of the daemons. */
const ALIASES: Readonly<Record<string, ServiceName>> = {
  go: 'exporter',
  hypervisord: 'exporter',
  python: 'converter',
  'hyper2kvm-daemon': 'converter',
  hyper2kvm: 'converter',
};

/** @throws UsageError for a name that nothing has */
export function serviceOf(name: string): ServiceName {
  const found = ALIASES[name] ?? SERVICE_NAMES.find((service) => service === name);
  if (found !== undefined) return found;
  throw new UsageError(
    `there is no service ${name}${didYouMean(nearest(name, [...SERVICE_NAMES, ...Object.keys(ALIASES)]))}`,
    `services: ${SERVICE_NAMES.join(', ')} (go is the exporter, python the converter)`,
  );
}

/** The services that were named, each once, in their order. */
export function servicesOf(names: readonly string[]): ServiceName[] {
  const named = new Set(names.map(serviceOf));
  return SERVICE_NAMES.filter((service) => named.has(service));
}
