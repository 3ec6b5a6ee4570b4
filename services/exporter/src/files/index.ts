export { moveDurably, syncFolder, writeJson } from './durable.js';
export { count, formatBytes } from './format.js';
