export { Qcow2Writer } from './qcow2-writer.js';
