export { exportVm, type Exported } from './export-vm.js';
export { DEFAULT_SETTINGS, type ExportPorts, type ExportRequest, type ExportSettings, type WorkPort } from './ports.js';
export { ProgressMeter } from './progress-meter.js';
export { Slots } from './slots.js';
