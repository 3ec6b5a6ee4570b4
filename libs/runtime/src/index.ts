export * from './process/spawn.js';
