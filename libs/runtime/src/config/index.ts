/** The configuration alone, for programs that need nothing else of the runtime. */
export * from './base.js';
export * from './load.js';
export * from './targets.js';
