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
export { decideCancel, decideRetry } from './jobs/asked.js';
export { decide, type WorkerFact } from './jobs/decide.js';
export { selectJobs } from './jobs/select-jobs.js';
export type { Decision } from './jobs/decision.js';
export { applyDecision } from './jobs/store.js';
export { VersionConflict } from './jobs/update-rows.js';
export { OutboxRelay } from './outbox/index.js';
export { gatewayService } from './service.js';
export { JOB_QUESTIONS } from './system/metrics-database.js';
