export { virtV2vEngine } from './engine.js';
