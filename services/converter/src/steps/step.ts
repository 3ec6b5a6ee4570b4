import type { ConversionOptions, ConversionStep, Machine } from '@hyper2kvm/contracts';
import type { Appliance, GuestFacts } from '../guest/index.js';

/** A change to a file of the guest, for the report. */
export interface Change {
  readonly step: ConversionStep;
  readonly file: string;
  /** One line for people: `/dev/sda1 → UUID=…`. */
  readonly summary: string;
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
  readonly concerns: string[];
  /** Set by `network`. */
  pinned: readonly PinnedNic[];
  /** Set where a file that every initramfs copies was changed: then they are rebuilt even with all drivers. */
  initramfsStale: boolean;
  /** Set by `initramfs`: versions of the kernels that the bootloader may start, newest first. */
  kernels: readonly string[];
}

export interface StepContext {
  readonly appliance: Appliance;
  readonly guest: GuestFacts;
  /** Complete: every NIC has its MAC. */
  readonly machine: Machine;
  /** Of NICs that have none in the source: the guest cannot have been configured by them. */
  readonly generatedMacs: readonly string[];
  readonly options: ConversionOptions;
  readonly state: StepState;
  /** A line of the job's log. */
  readonly log: (message: string) => void;
  /** Noted for the report and logged as a warning. */
  readonly concern: (message: string) => void;
  readonly change: (file: string, summary: string) => void;
}

/** One action on the guest. A step that throws fails the job. */
export interface Step {
  readonly name: ConversionStep;
  run(context: StepContext): Promise<void>;
}
