export { draw, failuresShown, pageOf, settled, type Size } from './screen.js';
