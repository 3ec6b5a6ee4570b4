export { checkTarget, type TargetAnswer, type TargetQuestion } from './check.js';
