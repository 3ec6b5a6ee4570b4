export { startFaultProxy, type FaultProxy, type Traffic } from './proxy.js';
export type { Fault, Match, Rule } from './rules.js';
