export { verify, type Verified } from './verify.js';
