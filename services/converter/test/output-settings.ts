import path from 'node:path';
import type { ConverterSettings } from '../src/work.js';

/** Settings of a converter whose folders lie below one. */
export const workSettings = (root: string): ConverterSettings => ({
  workDir: path.join(root, 'work'),
  outputDir: path.join(root, 'output'),
  allowedOutputRoots: [],
  proofMemoryBytes: 1024 ** 3,
  libvirtUri: 'qemu:///system',
  network: { type: 'network', name: 'default' },
  keepArtifact: false,
  applianceCacheDir: '/var/tmp',
});
