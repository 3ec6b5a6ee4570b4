import type { Concern, ConcernCode, ConversionOptions, ConversionStep, Machine } from '@hyper2kvm/contracts';
import type { Appliance, GuestFacts } from '../guest/index.js';

/** A change to the guest, for the report. */
export interface Change {
  readonly step: ConversionStep;
  /** Absolute in the guest; empty where it is no file. */
  readonly file: string;
  /** One line for people: `/dev/sda1 → UUID=…`. */
  readonly summary: string;
  /** Unified diff of a text file. */
  readonly diff?: string;
}

/** A NIC whose old name is kept by pinning it to its MAC. */
export interface PinnedNic {
  readonly mac: string;
  readonly name: string;
}

/** What the steps find and do, filled as they run. */
export interface StepState {
  readonly changes: Change[];
  /** What a person should look at. */
  readonly concerns: Concern[];
  /** Set by `network`. */
  pinned: readonly PinnedNic[];
  /** Set where a file that every initramfs copies was changed: then they are rebuilt even with all drivers. */
  initramfsStale: boolean;
  /** Set by `initramfs`: versions of the kernels that the bootloader may start, newest first. */
  kernels: readonly string[];
}

export interface StepContext {
  /** With the guest's file systems mounted. */
  readonly appliance: Appliance;
  readonly guest: GuestFacts;
  /** Complete: every NIC has its MAC. */
  readonly machine: Machine;
  /** Of NICs that have none in the source: the guest cannot have been configured by them. */
  readonly generatedMacs: readonly string[];
  readonly options: ConversionOptions;
  /** Of the job, on the host: for temporary files, which the step removes. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /**
   * Only a look at what would be done. Files may be edited all the same, as the overlay is thrown away; what takes long
   * (rebuilding, removing packages, trimming) is only noted with `change`.
   */
  readonly dryRun: boolean;
  readonly state: StepState;
  /** A line of the job's log. */
  readonly log: (message: string) => void;
  /** Noted for the report and logged as a warning. */
  readonly concern: (code: ConcernCode, message: string) => void;
  /** Notes a change that is not an edit of a text file. */
  readonly change: (file: string, summary: string) => void;
  /**
   * Writes a text file of the guest (latin1, see `Appliance.readText`), its folder too where it is missing, and notes the
   * change with its diff. Nothing happens where both texts are equal.
   * @param before undefined for a new file
   * @param summaries one line for people for each edit; each is logged too
   */
  readonly edit: (
    file: string,
    before: string | undefined,
    after: string,
    ...summaries: readonly string[]
  ) => Promise<void>;
}

/** One action on the guest. A step that throws fails the job. */
export interface Step {
  readonly name: ConversionStep;
  run(context: StepContext): Promise<void>;
}
