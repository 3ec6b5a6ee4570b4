import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry, Summary } from 'prom-client';

/** Of this process; served at /metrics. No job id may be a label. */
export const registry = new Registry();

/** Once per process, by startService. */
export const collectProcessMetrics = (): void => collectDefaultMetrics({ register: registry });

export { Counter, Gauge, Histogram, Summary };
