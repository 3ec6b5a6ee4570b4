export { planWindows, windowsChanges, windowsDevices, type WindowsPlan } from './plan.js';
export { isBitLocker } from './signatures.js';
