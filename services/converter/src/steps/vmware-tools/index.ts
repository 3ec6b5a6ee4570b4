export { vmwareToolsStep } from './step.js';
