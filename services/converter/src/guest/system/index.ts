export { linuxFacts, readRelease } from './linux.js';
export { otherSystems, type OtherSystem } from './other.js';
export { windowsFacts } from './windows.js';
