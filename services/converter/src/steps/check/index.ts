export { checkStep } from './step.js';
