import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry, Summary, type Metric } from 'prom-client';
import { inTime } from './shared-state.js';

/** Of this process; served at /metrics. No id, name, path or free text may be a label's value. */
export const registry = new Registry();

/** Gauges of prom-client whose names end as a counter's must. The same figures by type have proper names. */
const MISNAMED = ['handles', 'requests', 'resources'].map((what) => `nodejs_active_${what}_total`);

/** Once per process, by startService. */
export function collectProcessMetrics(): void {
  if (registry.getSingleMetric('process_cpu_seconds_total') !== undefined) return;
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
}

/** Labels with the values that they can have; `'any'` where those are not known beforehand (but bounded all the same). */
export type Labels<Name extends string> = Readonly<Record<Name, readonly (string | number)[] | 'any'>>;
export type Series<Name extends string> = Record<Name, string | number>;

/** Of what may take from milliseconds to hours, in seconds. */
export const SECONDS_TO_HOURS = [0.01, 0.1, 1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 14_400, 28_800];
/** Of what is answered at once, in seconds. */
export const MILLISECONDS_TO_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** The seed's quantiles, of the last day: more hours of conversions than the minutes that are prom-client's custom. */
const QUANTILES = { percentiles: [0.5, 0.9, 0.99], maxAgeSeconds: 24 * 3600, ageBuckets: 6 };

/** Beyond the limit of what is asked for (see sharedState), so that a reader can say that there was no answer. */
const READ_LIMIT_MS = 3_000;

// A process has one registry; a second application in it (tests) goes on with the same figures.
const once = <M extends Metric>(name: string, make: () => M): M =>
  (registry.getSingleMetric(name) as M | undefined) ?? make();

const namesOf = <Name extends string>(labels: Labels<Name>): Name[] => Object.keys(labels) as Name[];

/** Every combination of the values; none where one of the labels may have any. */
export function combinations<Name extends string>(labels: Labels<Name>): Series<Name>[] {
  let all: Partial<Series<Name>>[] = [{}];
  for (const name of namesOf(labels)) {
    const values = labels[name];
    if (values === 'any') return [];
    all = all.flatMap((series) => values.map((value) => ({ ...series, [name]: value })));
  }
  return all as Series<Name>[];
}

/** What is known beforehand starts at 0, so that rate() sees the first one too. */
export const counter = <Name extends string = never>(
  name: string,
  help: string,
  labels: Labels<Name> = {} as Labels<Name>,
): Counter<Name> =>
  once(name, () => {
    const made = new Counter({ name, help, labelNames: namesOf(labels), registers: [registry] });
    for (const series of combinations(labels)) made.inc(series, 0);
    return made;
  });

/** @param options.zeros false where most of the combinations never come */
export const histogram = <Name extends string = never>(
  name: string,
  help: string,
  labels: Labels<Name> = {} as Labels<Name>,
  { buckets = SECONDS_TO_HOURS, zeros = true }: { buckets?: number[]; zeros?: boolean } = {},
): Histogram<Name> =>
  once(name, () => {
    const made = new Histogram({ name, help, labelNames: namesOf(labels), buckets, registers: [registry] });
    if (zeros) for (const series of combinations(labels)) made.zero(series);
    return made;
  });

/** With quantiles, which cannot be added up over processes: a histogram stands beside it. */
export const summary = (name: string, help: string): Summary =>
  once(name, () => new Summary({ name, help, ...QUANTILES, registers: [registry] }));

/** Set as things happen. */
export const gauge = <Name extends string = never>(
  name: string,
  help: string,
  labels: Labels<Name> = {} as Labels<Name>,
): Gauge<Name> =>
  once(name, () => {
    const made = new Gauge({ name, help, labelNames: namesOf(labels), registers: [registry] });
    for (const series of combinations(labels)) made.set(series, 0);
    return made;
  });

/** Sets one value; without labels of a metric that has none. */
export type Put<Name extends string> = (value: number, series?: Series<Name>) => void;

/**
 * Read at each scrape. What cannot be read then, or not within three seconds, has no sample: an old figure would be a lie. Of several applications in one
 * process the last one's is read.
 * @param read puts a value for every series that there is
 */
export function scraped<Name extends string = never>(
  name: string,
  help: string,
  labelNames: readonly Name[],
  read: (put: Put<Name>) => void | Promise<void>,
): void {
  registry.removeSingleMetric(name);
  const made: Gauge<Name> = new Gauge({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect: async () => {
      const found: [number, Series<Name> | undefined][] = [];
      // A reader that fails has nothing to show; the scrape goes on.
      const reading = Promise.resolve().then(() => read((value, series) => found.push([value, series])));
      await inTime(reading, READ_LIMIT_MS).catch(() => found.splice(0));
      made.reset();
      // Without labels `reset` leaves a 0.
      if (labelNames.length === 0) made.remove();
      for (const [value, series] of found) made.set((series ?? {}) as Series<Name>, value);
    },
  });
}
