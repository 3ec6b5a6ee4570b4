export type { BootEntry, Loader } from './entry.js';
export { readBootEntries } from './read.js';
export { bootloaderStep } from './step.js';
export { hardwareParameters } from './command-line.js';
export { fallbackFault } from './uefi/index.js';
