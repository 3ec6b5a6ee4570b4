export { ClusterMap } from './cluster-map.js';
export { CLUSTER } from './qcow2-layout.js';
export { Qcow2Writer } from './qcow2-writer.js';
export { isZero } from './zeros.js';
