export { Deliveries, Ledger, type Fate } from './deliveries.js';
export { Held, isBefore, type BatchEnd, type Entry, type Group, type HeldEntry, type HeldGroup } from './held.js';
export { Records, token } from './records.js';
