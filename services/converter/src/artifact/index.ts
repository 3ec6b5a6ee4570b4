export { checkImage, loadArtifact, type ArtifactImage, type LoadedArtifact } from './read.js';
