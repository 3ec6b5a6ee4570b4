export { prepareEpoch, removeEpoch } from './epoch.js';
export { createOverlay, type Image } from './overlay.js';
