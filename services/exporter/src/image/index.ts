export { Qcow2Writer } from './qcow2-writer.js';
export { SegmentHasher } from './segment-hasher.js';
