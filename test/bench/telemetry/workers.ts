/** A process with the stand-ins for exporter and converter of the integration tests. Arguments: NATS servers, and an OTLP endpoint. */
import { createLogger, flushTelemetry, startTelemetry } from '@hyper2kvm/runtime';
import { startWorkers } from '../../integration/gateway-workers.js';

const [servers = '', endpoint] = process.argv.slice(2);
await startTelemetry({
  service: 'workers',
  workerId: 'workers',
  logger: createLogger('workers', 'error'),
  config: {
    otlp_endpoint: endpoint,
    headers: {},
    sample_ratio: 1,
    span_seconds: 60,
    logs: endpoint !== undefined,
    database_spans: false,
  },
});
const stop = await startWorkers(servers.split(','), { slots: 4, quiet: true });
process.send?.('ready');
process.on('message', () => {
  void stop()
    .then(flushTelemetry)
    .then(() => process.exit(0));
});
process.on('disconnect', () => process.exit(0));
