export { syncPath } from './files.js';
export { clearWork, finish } from './finish.js';
export { Manifest, ManifestCore } from './manifest.js';
export { readMarker, writeMarker, type CommitMarker } from './marker.js';
export { bytesOnDisk, checkFormat, checkOutputSpace, outputDisks } from './outputs.js';
export { findOutput, readOutput } from './place.js';
