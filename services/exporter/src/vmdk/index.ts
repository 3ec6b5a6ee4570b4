export { VmdkDecoder, type DecoderEvents } from './decoder.js';
export { VmdkError, type VmdkProblem } from './errors.js';
export { firstGrain, readStreamHeader, type StreamReader } from './first-grain.js';
export { GRAIN_BYTES, type VmdkHeader } from './format.js';
