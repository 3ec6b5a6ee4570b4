export { planNetwork, type NetworkInput, type NetworkPlan } from './plan.js';
export { planPersistentRules } from './rules.js';
export * from './names.js';
export { networkStep } from './step.js';
