export * from './channels/index.js';
export * from './messages/index.js';
export { NotifierConfig, SmtpConfig, smtpPort, startTls } from './config.js';
export { Dispatcher, type DispatcherLog } from './dispatcher.js';
export type { OutcomeFact } from './fact.js';
