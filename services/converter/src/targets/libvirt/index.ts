export { defineDomain, type Defined } from './define.js';
export { findFirmware } from './firmware.js';
export { completeMachine, DomainPlan, domainUuid, planDomain } from './plan.js';
export { swtpmConcerns } from './swtpm.js';
export { domainXml } from './xml.js';
