export { Qcow2Writer, SegmentHasher } from './image/index.js';
export * from './vmdk/index.js';
export * from './transfer/index.js';
export * from './sources/vsphere/index.js';
export * from './export/index.js';
