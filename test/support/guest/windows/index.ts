export { makeVirtioWin, makeVirtTools } from './virtio-win.js';
export { copyDisk, ensureWindows, type PhonyWindows, type WindowsState } from './windows.js';
