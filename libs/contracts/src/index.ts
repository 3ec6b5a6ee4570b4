export * from './words.js';
export * from './machine.js';
export * from './artifact.js';
export * from './errors.js';
