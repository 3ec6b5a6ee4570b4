export { selinuxStep } from './step.js';
