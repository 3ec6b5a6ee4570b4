import { JobError, type Machine } from '@hyper2kvm/contracts';
import type { DiskContent, DiskFile } from './disk-file.js';
import type { ExpectedDigest } from './files/digest.js';
import type { FileIdentity } from './files/identity.js';

/** A disk of a machine that lies in files. */
export interface LocalDisk {
  /** From 1. */
  readonly index: number;
  readonly capacityBytes: number;
  readonly content: DiskContent;
  readonly files: readonly FileIdentity[];
  /** Of the file that `content` streams: compared with what was read, in the same pass. */
  readonly expected: readonly ExpectedDigest[];
}

/** A whole file, or a part of one, that has to have a digest before anything is taken from it. */
export interface Verification {
  readonly path: string;
  readonly name: string;
  readonly offset: number;
  readonly length: number;
  readonly digest: ExpectedDigest;
}

/** A machine as its files tell it. Nothing but headers was read for it. */
export interface LocalMachine {
  readonly machine: Machine;
  readonly disks: readonly LocalDisk[];
  /** All that was given, beside the disks' own. */
  readonly files: readonly FileIdentity[];
  readonly verifications: readonly Verification[];
  readonly concerns: readonly string[];
  readonly neededBytes: number;
}

/** What a disk will take at least: a stream's content is no smaller than the stream. */
export const neededBytes = ({ usedBytes, content }: DiskFile): number =>
  usedBytes ?? (content.kind === 'stream' ? content.length : 0);

/** @throws JobError SOURCE_INVALID */
export function assertDistinct(disks: readonly LocalDisk[]): void {
  const seen = new Set<string>();
  for (const { content, files } of disks) {
    const [first] = files;
    // A disk without a file is empty.
    if (first === undefined) continue;
    const key = `${first.inode} ${offsetOf(content)}`;
    if (seen.has(key)) throw new JobError('SOURCE_INVALID', `${first.path} is given as two disks`);
    seen.add(key);
  }
}

const offsetOf = (content: DiskContent): number => (content.kind === 'stream' ? content.offset : 0);

/** The transfer compares these while it reads; others are compared before. */
export const isStreamDigest = (digest: ExpectedDigest): boolean => digest.algorithm !== 'sha512';
