/*
 * Reading an image's guest-visible content through QEMU. An entry of its own: the threads that move disks import it, and each
 * has its own heap, so nothing here may import the bus, the contracts or anything else that is large.
 */
export { NbdClient, type Extent } from './nbd-client.js';
export { MismatchError, firstDifference, readBack, readContent, type Content, type ContentRead } from './read-back.js';
export { SegmentHasher } from './segment-hasher.js';
