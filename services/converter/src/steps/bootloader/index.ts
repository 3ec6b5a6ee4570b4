export type { BootEntry, Loader } from './entry.js';
export { readBootEntries } from './read.js';
export { bootloaderStep } from './step.js';
export { hardwareParameters, planCommandLine, planGrubDefaults } from './plan.js';
