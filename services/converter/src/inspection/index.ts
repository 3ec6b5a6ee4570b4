export { inspectDisks, type DisksQuestion } from './inspect-disks.js';
export { Inspections } from './inspections.js';
