export { Releaser } from './releaser.js';
