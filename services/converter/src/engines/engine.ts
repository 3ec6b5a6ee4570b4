import type { ConversionOptions, Machine } from '@hyper2kvm/contracts';
import type { Accelerator, ApplianceDisk, GuestFacts } from '../guest/index.js';
import type { StepReporter } from '../progress.js';
import type { Change, PinnedNic } from '../steps/index.js';
import type { WorkPort } from '../work.js';

export interface EngineInput {
  /** Overlays, in disk order: the engine writes to nothing else. */
  readonly disks: readonly ApplianceDisk[];
  /** The job's folder of this epoch. */
  readonly folder: string;
  readonly cacheDir: string;
  readonly accelerator: Accelerator;
  readonly machine: Machine;
  /** Of NICs that have none in the source: the guest cannot have been configured by them. */
  readonly generatedMacs: readonly string[];
  readonly options: ConversionOptions;
  readonly work: WorkPort;
  readonly reporter: StepReporter;
}

export interface EngineResult {
  readonly guest: GuestFacts;
  readonly changes: readonly Change[];
  readonly concerns: readonly string[];
  readonly pinned: readonly PinnedNic[];
  /** Versions of the kernels that the boot loader may start, newest first. */
  readonly kernels: readonly string[];
}

/** A way to make a guest bootable on KVM. */
export interface Engine {
  readonly name: 'native' | 'virt-v2v';
  convert(input: EngineInput): Promise<EngineResult>;
}
