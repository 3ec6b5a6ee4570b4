export { discardEpoch, EPOCH_FOLDER, prepareEpoch, removeEpoch } from './epoch.js';
export { createOverlay, type Image } from './overlay.js';
