export { initramfsStep } from './step.js';
export { listInitramfs } from './image.js';
export { lostForRoot, moduleNames, neededModules, VIRTIO_MODULES, wantedDrivers } from './plan.js';
