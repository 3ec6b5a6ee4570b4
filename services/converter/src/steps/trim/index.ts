export { trimStep } from './step.js';
