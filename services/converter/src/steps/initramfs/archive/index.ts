export { addToArchive } from './add.js';
export { ArchiveError } from './bytes.js';
export type { NewEntry } from './cpio.js';
export { readArchive, type Archive } from './read.js';
