export * from './process/spawn.js';
export { serveImage, type ImageServer } from './content/image-server.js';
export * from './config/base.js';
export * from './config/load.js';
export * from './config/targets.js';
export * from './secrets/sealer.js';
export * from './telemetry/logger.js';
export { redactUrls } from './telemetry/redact.js';
export * from './telemetry/tracing.js';
export * from './telemetry/metrics.js';
export { flushTelemetry } from './telemetry/register.js';
export { Bus, type Followed, type PublishOptions } from './bus/bus.js';
export type { BandwidthLimit, BandwidthScope } from './bus/bandwidth.js';
export { openBus } from './open.js';

export { InvalidMessage } from './bus/cloudevents.js';
export { Claims } from './claims/claims.js';

export { CommandQueue } from './lanes/queue.js';
export { WorkContext, WorkStopped, type ProgressUpdate, type StopKind } from './work/context.js';
export { FactContext } from './facts/consumer.js';
export * from './nest/decorators.js';
export * from './nest/tokens.js';
export { JetStreamStrategy, type StrategyOptions } from './nest/strategy.js';
export { startService, type ServiceOptions } from './nest/start.js';
export { diskFree } from './health/heartbeat.js';
export { WorkerState } from './health/state.js';
export { parseListen } from './health/server.js';
export { VERSION } from './version.js';
