export { checkTarget, type TargetAnswer, type TargetQuestion } from './check/index.js';
export { defineOutput } from './define.js';
export { importOutput, planFor, type Imported } from './import.js';
export { targetOf, type Target } from './target.js';
