export * from './channels/index.js';
export * from './messages/index.js';
export { NotifierConfig, SmtpConfig, smtpPort, startTls } from './config.js';
export { FACT_NAMES, type FactName, type OutcomeFact } from './fact.js';
export { Flusher, type FlusherOptions } from './flusher.js';
export { Pipeline, type PipelineLog, type PipelineOptions } from './pipeline.js';
export { QuietClock, summaryOf, type Rule } from './rules/index.js';
export { Deliveries, Held, Records } from './state/index.js';
