export { isFileSystem, isMountable, type BlockDevice } from './block-device.js';
export { keysFor, writeKeyDisk, type PlacedKey } from './luks-keys.js';
export { parseMdadmConf, type ArrayNames } from './md-names.js';
export { resolveDevice, type Naming } from './resolve.js';
export { parseSurvey } from './survey.js';
export { describeClosed, renameVolumes, unlock, type ClosedVolume, type KeyDisk, type Unlocked } from './unlock.js';
