import type { JobError, Machine, TransportChoice } from '@hyper2kvm/contracts';
import type { DiskInput } from '../transfer/inputs/input.js';

/** A disk of a source as the export sees it. */
export interface SourceDiskPlan {
  /** From 1, as in the machine. */
  readonly index: number;
  readonly name: string;
  readonly capacityBytes: number;
}

export type TransportName = 'nfc' | 'datastore' | 'file';

/** How one try of one disk is read. */
export interface DiskAccess {
  readonly input: DiskInput;
  readonly transport: TransportName;
  /** Digests of the stream that the source will be compared by afterwards. */
  readonly digests?: readonly ('md5' | 'sha1' | 'sha256')[];
  /** Aborts with a JobError when what this try reads from is gone; others may stand. */
  readonly lost?: AbortSignal;
  /** Ends what was started for this try (a qemu-nbd). */
  close?(): Promise<void>;
}

/** A source whose disks can be read at one instant until `close`. */
export interface PreparedSource {
  /**
   * What the content depends on (snapshot, file sizes and times). Disks that were finished, and journals written, under
   * another binding are dropped: content of two instants is never mixed.
   */
  readonly binding: string;
  /** What a person should know of how the disks were made readable. */
  readonly concerns?: readonly string[];
  /** Aborts with a JobError when the disks cannot be read any more (datastore full, snapshot too old). */
  readonly lost: AbortSignal;
  /** Called anew for each try of a disk. @param attempt from 0 @throws JobError */
  access(disk: SourceDiskPlan, attempt: number): Promise<DiskAccess>;
  /**
   * Whether the next `access` goes another way to this disk after such a failure (another transport, another lease), so that
   * it is tried at once and whatever the code says. The source says so in the log, and allows it a bounded number of times.
   */
  otherWay?(disk: SourceDiskPlan, failure: JobError): boolean;
  /** Digests as the source tells them, to be compared with those of the stream; undefined where it does not. */
  digestsOf?(disk: SourceDiskPlan): Promise<Partial<Record<'md5' | 'sha1' | 'sha256', string>> | undefined>;
  /** Digests of the disk's files, `sha256:…`, that were compared before it was read. */
  checkedBefore?(disk: SourceDiskPlan): readonly string[];
  /** After the last disk was verified. A failure here does not harm the artifact. */
  complete(): Promise<void>;
  /** Stops what runs (lease keeper, watchers); leaves the snapshot, which `Source.cleanup` removes. */
  close(): Promise<void>;
}

/** What a clean-up of a source could not do, or found. */
export interface Remains {
  /** What is left, and what to do about it, in a sentence. */
  readonly left?: string;
  /** The snapshot that is left. */
  readonly snapshot?: { readonly vm: string; readonly snapshot: string };
  /** Names of snapshots that were removed. */
  readonly removed?: readonly string[];
  /** What a person should know of the source afterwards. */
  readonly concerns?: readonly string[];
}

/** Where a source keeps what the next start of the same job has to know. Durable. */
export interface SourceNotes {
  /** As written by whatever version of this source; undefined at first. */
  read(): unknown;
  write(notes: unknown): Promise<void>;
}

/** Where a VM comes from: a vCenter, or files. One object per export. */
export interface Source {
  /** The machine, and what a person should know of it. Refuses what cannot be exported before any byte moves. @throws JobError */
  describe(): Promise<{ machine: Machine; concerns: readonly string[]; neededBytes: number | undefined }>;
  /** Makes the disks readable. May be called again by a later start of the same job. @throws JobError */
  prepare(choice: TransportChoice): Promise<PreparedSource>;
  /**
   * Removes every trace on the source: lease, snapshot. Never throws. Undefined when there was nothing to say.
   * @param options thorough: looks for what the notes do not tell of, too
   */
  cleanup(options?: { readonly thorough: boolean }): Promise<Remains | undefined>;
  /** What a person has to know of the source when the export failed: sentences for the failure. */
  aftermath?(): readonly string[];
  /** Ends sessions. */
  close(): Promise<void>;
}
