export { proveBoot, type Proof, type ProofInput } from './prove.js';
export { faultOf, findReport, type GuestReport } from './report.js';
