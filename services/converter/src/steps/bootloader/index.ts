export { bootloaderStep } from './step.js';
export { hardwareParameters, planCommandLine, planGrubDefaults } from './plan.js';
