export { TOP_LEVEL, type Candidate, type Probed, type Subvolume, type Subvolumes } from './candidate.js';
export { findRoot, operatingSystems, rootName } from './choose.js';
export { hasOthers, parseProbe, probeScript } from './probe.js';
