export { planWindows, windowsChanges, windowsDevices, type WindowsPlan } from './plan.js';
