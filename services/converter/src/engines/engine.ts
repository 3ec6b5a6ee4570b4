import type { Concern, ConversionOptions, ConversionStep, Machine } from '@hyper2kvm/contracts';
import type { Accelerator, Appliance, ApplianceDisk, GuestFacts } from '../guest/index.js';
import type { StepReporter } from '../progress.js';
import type { Change, PinnedNic } from '../steps/index.js';
import type { WorkPort } from '../work.js';

export interface EngineInput {
  /** Running, with the guest's file systems mounted. The engine closes it before it returns. */
  readonly appliance: Appliance;
  readonly guest: GuestFacts;
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
  /** virtio-win.iso, or a folder of its content; only Windows needs it. */
  readonly virtioWin: string | undefined;
  /** Only a look at what would be done, see `StepContext.dryRun`. */
  readonly dryRun: boolean;
  readonly work: Pick<WorkPort, 'log' | 'signal'>;
  readonly reporter: Pick<StepReporter, 'step'>;
}

export interface EngineResult {
  readonly changes: readonly Change[];
  readonly concerns: readonly Concern[];
  readonly pinned: readonly PinnedNic[];
  /** Versions of the kernels that the boot loader may start, newest first. */
  readonly kernels: readonly string[];
  /** Devices that the guest has drivers for now, where they are not virtio's. */
  readonly devices?: { readonly disk_bus?: 'scsi' | 'sata'; readonly nic_model?: 'e1000e' };
}

/** A way to make a guest bootable on KVM. */
export interface Engine {
  readonly name: 'native' | 'virt-v2v' | 'none';
  /** In their order, for the progress. */
  readonly steps: readonly ConversionStep[];
  convert(input: EngineInput): Promise<EngineResult>;
}
