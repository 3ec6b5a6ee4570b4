export { loadArtifact } from './artifact/index.js';
export * from './commit/index.js';
export { ConverterConfig, toSettings } from './config.js';
export { convert, type Conversion, type Converted } from './convert.js';
export * from './engines/index.js';
export {
  accelerator,
  Appliance,
  clearLeftovers,
  inspect,
  openGuest,
  type Accelerator,
  type ApplianceOptions,
  type GuestFacts,
} from './guest/index.js';
export { Inspections, inspectDisks, type DisksQuestion } from './inspection/index.js';
export { safeName } from './names.js';
export * from './overlay/index.js';
export { boot, proveBoot, qemuArgs } from './proof/index.js';
export * from './targets/libvirt/index.js';
export * from './targets/index.js';
export {
  bootloaderStep,
  checkStep,
  initramfsStep,
  listInitramfs,
  runSteps,
  type Step,
  type StepContext,
  type StepState,
} from './steps/index.js';
export { verify, type Verified } from './verify/index.js';
export type { ConverterSettings, WorkPort } from './work.js';
