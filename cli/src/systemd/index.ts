export { isHere, localUrl } from './addresses.js';
export { SystemdManager } from './manager.js';
export { installedUnits, unitsOf } from './units.js';
