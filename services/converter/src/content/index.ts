export { readImage, type ImageRead } from './read-image.js';
