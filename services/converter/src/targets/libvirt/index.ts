export { defineDomain } from './define.js';
export { findFirmware } from './firmware.js';
export { completeMachine, DomainPlan, domainUuid, planDomain } from './plan.js';
export { domainXml } from './xml.js';
