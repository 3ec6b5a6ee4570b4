import { CommandQueue, Counter, Gauge, LOGGER, registry, Summary, type Logger } from '@hyper2kvm/runtime';
import { conversionRequested, exportRequested, LANES } from '@hyper2kvm/contracts';
import { Inject, Injectable } from '@nestjs/common';
import type { WorkerFact } from '../jobs/decide.js';
import { JobQueries } from '../jobs/queries.js';

const QUANTILES = { percentiles: [0.5, 0.9, 0.99], maxAgeSeconds: 24 * 3600, ageBuckets: 6 };

/** The seed's figures, as far as the gateway sees them: it hears of every end of a phase exactly once. */
@Injectable()
export class GatewayMetrics {
  readonly #exports = counter('hypervisord_exports_total', 'Export attempts that ended', ['status']);
  readonly #bytes = counter(
    'hypervisord_bytes_downloaded_total',
    'Bytes fetched from sources by completed exports',
    [],
  );
  readonly #exportSeconds = summary('hypervisord_export_duration_seconds', 'Duration of completed exports');
  readonly #conversions = counter('hyper2kvm_conversions_total', 'Conversion attempts that ended', ['status']);
  readonly #conversionSeconds = summary('hyper2kvm_conversion_duration_seconds', 'Duration of completed conversions');
  readonly #exportQueue = gauge('hypervisord_queue_depth', 'Exports that wait for room or for a worker', ['priority']);
  readonly #conversionQueue = gauge('hyper2kvm_queue_depth', 'Conversions that wait for a worker', ['priority']);

  constructor(
    private readonly queue: CommandQueue,
    private readonly queries: JobQueries,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    for (const status of ['success', 'failed']) {
      this.#exports.inc({ status }, 0);
      this.#conversions.inc({ status }, 0);
    }
  }

  /** After a fact was applied. */
  count(fact: WorkerFact): void {
    switch (fact.name) {
      case 'export.completed':
        this.#exports.inc({ status: 'success' });
        this.#bytes.inc(fact.data.bytes_downloaded);
        this.#exportSeconds.observe(fact.data.duration_seconds);
        return;
      case 'conversion.completed':
        this.#conversions.inc({ status: 'success' });
        this.#conversionSeconds.observe(fact.data.duration_seconds);
        return;
      case 'export.failed':
        this.#exports.inc({ status: 'failed' });
        return;
      case 'conversion.failed':
        this.#conversions.inc({ status: 'failed' });
        return;
      case 'export.started':
      case 'conversion.started':
    }
  }

  /** The text that Prometheus reads. */
  async text(): Promise<string> {
    try {
      const [held, exports, conversions] = await Promise.all([
        this.queries.held(),
        this.queue.depth(exportRequested),
        this.queue.depth(conversionRequested),
      ]);
      for (const lane of LANES) {
        this.#exportQueue.set({ priority: lane }, held[lane] + exports[lane]);
        this.#conversionQueue.set({ priority: lane }, conversions[lane]);
      }
    } catch (error) {
      this.logger.debug({ err: error }, 'the depth of the queues is not known now');
    }
    return registry.metrics();
  }
}

// A process has one registry; a second application in it (tests) goes on with the same figures.
function counter(name: string, help: string, labelNames: string[]): Counter {
  return (
    (registry.getSingleMetric(name) as Counter | undefined) ??
    new Counter({ name, help, labelNames, registers: [registry] })
  );
}
function gauge(name: string, help: string, labelNames: string[]): Gauge {
  return (
    (registry.getSingleMetric(name) as Gauge | undefined) ??
    new Gauge({ name, help, labelNames, registers: [registry] })
  );
}
function summary(name: string, help: string): Summary {
  return (
    (registry.getSingleMetric(name) as Summary | undefined) ??
    new Summary({ name, help, ...QUANTILES, registers: [registry] })
  );
}
