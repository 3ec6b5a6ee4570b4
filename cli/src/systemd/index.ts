export { isHere, localUrl } from './addresses.js';
export { SystemdManager } from './manager.js';
export { installedUnits, isBooted, unitsOf } from './units.js';
