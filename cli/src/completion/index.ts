export { splitLine, type Typed } from './line.js';
export { positionOf, type CommandShape } from './position.js';
export { replyLines } from './reply.js';
export { SCRIPTS, SHELLS, type Shell } from './scripts.js';
export { suggest, type Knowledge } from './suggest.js';
