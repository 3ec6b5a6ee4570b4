export { holdOf, SETTLE_MS, type Gathering, type Hold } from './hold.js';
export { addressOf, configuredOf, isConfigured, targetsOf, type Target } from './targets.js';
