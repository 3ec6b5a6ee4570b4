import type { TransferCode } from './errors.js';
import type { DiskInput } from './inputs/input.js';

export type DigestName = 'md5' | 'sha1' | 'sha256';

/** What a transfer thread is given. Plain data. */
export interface TransferTask {
  readonly input: DiskInput;
  /** The image to create. It must not exist; with a journal, an unfinished one is continued or replaced. */
  readonly path: string;
  /** What the source says; the input has to say the same. */
  readonly capacityBytes: number;
  /** Of the hashes of the content: a multiple of 64 KiB. */
  readonly segmentBytes: number;
  /** An input that brings nothing for this long is given up. */
  readonly stallTimeoutMs: number;
  /** As received; null is no limit. */
  readonly bytesPerSecond: number | null;
  /** Of the stream, besides sha256. Only inputs that are one stream (nfc, vmdk-file) have them. */
  readonly digests: readonly DigestName[];
  /** For `ranges`: what is on the disk is noted here, and a later transfer goes on from it. */
  readonly journal?: TransferJournal;
}

export interface TransferJournal {
  /** The caller removes the file once the finished disk is recorded. */
  readonly path: string;
  /** What the content depends on. Bytes that came under another binding are not used. */
  readonly binding: string;
}

export interface TransferResult {
  /** By this transfer, repeated ranges included. */
  readonly bytesDownloaded: number;
  /** Of the disk, taken over from an earlier transfer by the journal: they were not read again. */
  readonly bytesResumed: number;
  /** Of the stream as it came, in hex: sha256 and what the task asked for. Empty for ranges and qemu. */
  readonly digests: Partial<Record<DigestName, string>>;
  /** SHA-256 of each segment of the content; null is a segment without data. */
  readonly segments: (string | null)[];
  readonly imageBytes: number;
}

/** How a transfer failed; the flow makes a JobError of it. */
export interface TransferFailure {
  readonly code: TransferCode;
  readonly message: string;
}

export type ToThread =
  { kind: 'read-back'; socketPath: string } | { kind: 'rate'; bytesPerSecond: number | null } | { kind: 'stop' };

export type FromThread =
  | { kind: 'progress'; stage: 'transfer' | 'read-back'; doneBytes: number; bytesDownloaded: number }
  | { kind: 'written'; result: TransferResult }
  | { kind: 'read-back'; bytesRead: number }
  | { kind: 'failed'; failure: TransferFailure };
