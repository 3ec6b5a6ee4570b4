export { openScreen, type Screen } from './screen.js';
export { summaryLines } from './summary.js';
export type { ViewEvent } from './model.js';
export { statusLines } from './status.js';
