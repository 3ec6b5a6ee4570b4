import type { ErrorCode } from '@hyper2kvm/contracts';
import type { DiskInput } from './inputs/input.js';

/** What a transfer thread is given. Plain data. */
export interface TransferTask {
  readonly input: DiskInput;
  /** The image to create; it must not exist. */
  readonly path: string;
  /** What the source says; the stream's header has to say the same. */
  readonly capacityBytes: number;
  readonly segmentBytes: number;
  /** A stream that brings nothing for this long is given up. */
  readonly stallTimeoutMs: number;
}

export interface TransferResult {
  readonly bytesDownloaded: number;
  /** SHA-256 of the stream as it came. */
  readonly streamSha256: string;
  readonly segments: (string | null)[];
  readonly imageBytes: number;
}

/** Codes that a transfer can end with; the flow makes a JobError of it. */
export interface TransferFailure {
  readonly code: Extract<
    ErrorCode,
    'EXPORT_TRANSFER' | 'EXPORT_CORRUPT' | 'EXPORT_MISMATCH' | 'EXPORT_LEASE' | 'VCENTER_TLS' | 'DISK_FULL' | 'INTERNAL'
  >;
  readonly message: string;
}

export type ToThread = { kind: 'read-back'; socketPath: string } | { kind: 'stop' };

export type FromThread =
  | { kind: 'progress'; stage: 'transfer' | 'read-back'; doneBytes: number; bytesDownloaded: number }
  | { kind: 'written'; result: TransferResult }
  | { kind: 'read-back'; bytesRead: number }
  | { kind: 'failed'; failure: TransferFailure };
