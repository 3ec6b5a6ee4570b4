export { planCrypttab, type CrypttabPlan } from './crypttab.js';
export { hidesDisks, planLvmFilters } from './lvm.js';
export { planMdadm } from './mdadm.js';
export { planFstab, type FstabPlan } from './plan.js';
export { planDracut, planResume } from './resume.js';
export { FSTAB, fstabStep } from './step.js';
export { planUnit, swapUnitName } from './units.js';
