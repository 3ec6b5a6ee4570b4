export { cancelAttempts, writeAttempts, type AttemptNews } from './attempts.js';
export { writeEvents, type Happened, type HappenedTo } from './happened.js';
