import type { FstabEntry } from '../mounts/tables.js';

export interface Subvolume {
  readonly id: number;
  /** From the top of the file system; empty for the top itself. */
  readonly path: string;
}

/** Identifier of the top of a btrfs. */
export const TOP_LEVEL = 5;

/** What a btrfs holds. */
export interface Subvolumes {
  readonly all: readonly Subvolume[];
  /** Mounted where no other is named. */
  readonly defaultId: number;
  readonly snapshots: ReadonlySet<number>;
}

/** A file system, or a subvolume, that looks like the root of an operating system. */
export interface Candidate {
  readonly kind: 'linux' | 'windows';
  readonly device: string;
  readonly subvolume?: Subvolume;
  /** How its own fstab mounts it. */
  readonly own?: FstabEntry;
}

export interface Probed {
  readonly candidates: readonly Candidate[];
  /** By device. */
  readonly subvolumes: ReadonlyMap<string, Subvolumes>;
  /** File systems that could not be mounted, and why. */
  readonly failures: readonly { readonly device: string; readonly reason: string }[];
}
