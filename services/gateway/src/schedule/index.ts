export { parseWindow } from './parse.js';
export { scheduleOf, windowAt, type Schedule } from './schedule.js';
export type { Opening } from './openings.js';
export type { Window } from './window.js';
