export { boot, type BootOptions, type BootOutcome } from './boot.js';
export { assertProvable } from './inject.js';
export { proveBoot, type Proof, type ProofInput } from './prove.js';
export { faultOf, findReport, type GuestReport } from './report.js';
export { qemuArgs } from './qemu.js';
