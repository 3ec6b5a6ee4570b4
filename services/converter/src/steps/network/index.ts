export { planCloudInit } from './cloud-init.js';
export { linkPath, RULES_PATH } from './files.js';
export { planNetwork, type NetworkInput, type NetworkPlan } from './plan.js';
export { networkStep } from './step.js';
