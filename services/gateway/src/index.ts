export { AppModule } from './app.module.js';
export {
  ConversionConfig,
  GatewayConfig,
  RetryPolicyConfig,
  SECTIONS,
  VsphereConfig,
  type Sections,
} from './config.js';
export * from './database/index.js';
export { decide, decideCancel, decideRetry, type Decision, type WorkerFact } from './jobs/decide.js';
export { OutboxRelay } from './outbox/index.js';
export { gatewayService } from './service.js';
