export { fits, Name, Rule, summaryOf } from './rule.js';
export { QuietClock, QuietHours, shownHours } from './quiet-hours.js';
