export { findUnlistedEsp } from './esp.js';
export { mountAll } from './mount.js';
export { planMounts, type MissingMount, type MountPlan, type PlannedMount } from './plan.js';
export { parseCrypttab, parseFstab, type CrypttabEntry, type FstabEntry } from './tables.js';
