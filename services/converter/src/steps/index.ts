import { bootloaderStep } from './bootloader/index.js';
import { checkStep } from './check/index.js';
import { fstabStep } from './fstab/index.js';
import { initramfsStep } from './initramfs/index.js';
import { networkStep } from './network/index.js';
import { selinuxStep } from './selinux/index.js';
import type { Step } from './step.js';
import { trimStep } from './trim/index.js';
import { vmwareToolsStep } from './vmware-tools/index.js';

export { bootloaderStep } from './bootloader/index.js';
export { checkStep } from './check/index.js';
export { initramfsStep, listInitramfs } from './initramfs/index.js';
export { runSteps, type StepsInput } from './run.js';
export type { Change, PinnedNic, Step, StepContext, StepState } from './step.js';

/** What is done to a Linux guest, in this order: the initramfs copies what fstab and network wrote. */
export const LINUX_STEPS: readonly Step[] = [
  fstabStep,
  networkStep,
  vmwareToolsStep,
  initramfsStep,
  bootloaderStep,
  selinuxStep,
  trimStep,
  checkStep,
];
