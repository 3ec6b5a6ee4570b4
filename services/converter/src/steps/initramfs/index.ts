export { initramfsStep } from './step.js';
export { appendModules, moduleNames, modulesPolicy, neededModules, VIRTIO_MODULES } from './plan.js';
