/** What passes between the bench and the process that runs one way once. Plain data. */
import type { Vcsim } from '../../support/vcsim.js';
import type { BenchDisk } from './disks.js';

export type Way =
  | { kind: 'ours'; transport: 'nfc' | 'datastore'; readBack: boolean }
  /** To files, then qemu-img convert. */
  | { kind: 'curl' | 'govc'; sideBySide: boolean }
  /** From a local streamOptimized VMDK. */
  | { kind: 'decoder' | 'qemu-img' };

export interface BenchJob {
  way: Way;
  vmName: string;
  disks: BenchDisk[];
  vcenter: Pick<Vcsim, 'host' | 'url' | 'username' | 'password' | 'thumbprint'> & { certificateFile: string };
  /** For all that is written; empty at the start. */
  folder: string;
  govc: string;
}

export interface Done {
  /** The images, in the order of the disks. */
  images: string[];
  /** Of the end: the images' bytes brought to the disk. Nothing where the way does that as it goes. */
  syncSeconds: number;
}

export interface Measured extends Done {
  /** From the first word to vCenter to all images on the disk. */
  wallSeconds: number;
  cpuSeconds: number;
  writtenBytes: number;
}

/** The runner works itself for our ways; for the others it stands for a shell, and does not count. */
export const countsItself = (way: Way): boolean => way.kind === 'ours' || way.kind === 'decoder';

export type ToRunner = { kind: 'go'; job: BenchJob };
export type FromRunner = { kind: 'ready' } | { kind: 'done'; measured: Measured } | { kind: 'failed'; message: string };
