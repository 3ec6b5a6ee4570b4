export { createLocalSource, type LocalSourceOptions } from './local-source.js';
export { locateDisks, type LocatedDisks } from './locate.js';
export type { Looking } from './disk-file.js';
export { AllowedRoots } from './files/allowed.js';
