import type { Trust } from '../../net/index.js';

/** Where the bytes of one disk come from. Plain data: it crosses into the disk's thread. */
export type DiskInput = NfcInput | RangesInput | VmdkFileInput | QemuInput;

/** A streamOptimized VMDK as the body of one HTTPS answer: vSphere's export stream. A broken one begins again. */
export interface NfcInput {
  readonly kind: 'nfc';
  readonly url: string;
  /** The session's cookie, only where the URL's host issued it. */
  readonly cookie?: string;
  readonly trust: Trust;
}

/** The disk's plain bytes by HTTP ranges: vSphere's /folder. Resumable at the byte. */
export interface RangesInput {
  readonly kind: 'ranges';
  readonly url: string;
  readonly cookie?: string;
  readonly trust: Trust;
  /** Ranges under way at the same time, 4 to 8. */
  readonly connections: number;
  /** Size of the file; each Content-Range has to tell the same. */
  readonly sizeBytes: number;
  /** Compared with each answer where the server sends one: another value means that the file was changed. */
  readonly lastModified?: string;
  readonly etag?: string;
}

/** A streamOptimized VMDK in a local file, or in a part of one (a member of an OVA). */
export interface VmdkFileInput {
  readonly kind: 'vmdk-file';
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

/** Whatever QEMU reads, served read-only by a qemu-nbd on a unix socket. */
export interface QemuInput {
  readonly kind: 'qemu';
  readonly socketPath: string;
}

/** Takes a disk's content on its way from an input to the image. */
export interface Sink {
  /**
   * Content in the order of the disk; what is left out is zeros. The buffer may be used again afterwards.
   * @param offset in the disk, a multiple of 64 KiB
   * @param content up to 64 KiB, shorter only at the disk's end; not all zeros
   */
  data(offset: number, content: Buffer): void;
  /** A promise to wait for before more is read, when the target is behind. */
  pressure(): Promise<void> | undefined;
  /** Bytes of the input as they came over the network or from the file: for hashes of the stream and for the rate limit. */
  received(bytes: Buffer): void;
  /** A promise to wait for before more is read, when a rate limit says so. */
  throttle(): Promise<void> | undefined;
  /** Position in the disk up to which everything was given (holes count once they are passed). */
  progress(doneBytes: number): void;
}

/** Reads one disk into a sink. Throws the errors that failure.ts knows. */
export type Pour<Input extends DiskInput> = (
  input: Input,
  disk: {
    readonly capacityBytes: number;
    readonly stallTimeoutMs: number;
    /** Everything below is in the image already; only inputs that resume get another value than 0. A multiple of 64 KiB. */
    readonly startAt: number;
  },
  sink: Sink,
  signal: AbortSignal,
) => Promise<void>;
