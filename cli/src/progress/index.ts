export { openScreen, type Screen } from './screen.js';
export { summaryLines } from './summary.js';
export type { ViewEvent } from './state.js';
export { cleaningOf, notCleaned } from './cleanup.js';
export { statusLines } from './status.js';
export { isResting } from './resting.js';
