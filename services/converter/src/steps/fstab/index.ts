export { planFstab, type FstabPlan } from './plan.js';
export { planResume } from './resume.js';
export { FSTAB, fstabStep } from './step.js';
