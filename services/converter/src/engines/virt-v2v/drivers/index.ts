export { findAgent, findDrivers, type Drivers } from './find.js';
export { stageDrivers } from './stage.js';
export { openVirtioWin, type VirtioWin } from './virtio-win.js';
