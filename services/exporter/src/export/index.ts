export { Bandwidth, splitBandwidth, type RateControl } from './bandwidth.js';
export { cleanUpJob, removeJobFiles, type CleanedUp } from './clean-up-job.js';
export { exportVm, type Exported } from './export-vm.js';
export type { ExportPorts, ExportRequest, WorkPort } from './ports.js';
export { ProgressMeter } from './progress-meter.js';
export { DEFAULT_SETTINGS, type ExportSettings } from './settings.js';
export { Slots } from './slots.js';
