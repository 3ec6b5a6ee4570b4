export { configPath } from './location.js';
export type { Value } from './kinds.js';
export { originWord, type Origin } from './places.js';
export { noConfig, readConfig, tolerant, type ConfigFile } from './read.js';
export { settingsTable } from './reference.js';
export { noContext, Resolution, vcenterKey, type Resolved } from './resolve.js';
export { KEYS, SETTINGS, settingOf, type Setting, type SettingKey } from './table.js';
