export { boot, type BootOutcome } from './boot.js';
export { proveBoot, type Proof, type ProofInput } from './prove.js';
export { faultOf, findReport, type GuestReport } from './report.js';
export { qemuArgs } from './qemu.js';
