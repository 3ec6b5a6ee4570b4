import type { JobLog, JobProgress } from '@hyper2kvm/contracts';
import type { TargetsConfig } from '@hyper2kvm/runtime';

/** What a conversion needs of the runtime's WorkContext. */
export interface WorkPort {
  readonly jobId: string;
  readonly attempt: number;
  /** Rises with every worker that takes the job: folders carry it. */
  readonly epoch: number;
  readonly signal: AbortSignal;
  /** @throws when another worker owns the job by now; asked before anything that cannot be undone */
  assertOwner(): Promise<void>;
  progress(progress: Omit<JobProgress, 'job_id' | 'attempt' | 'time'>): void;
  log(level: JobLog['level'], message: string, fields?: { step?: string; course?: boolean }): void;
  /** What programs print from here on is noted for this step. */
  enterStep?(step: string | undefined): void;
}

/** The converter's settings, from its section of the configuration. Sizes in bytes. */
export interface ConverterSettings {
  readonly workDir: string;
  readonly outputDir: string;
  /** Folders below which a job may ask for its output. */
  readonly allowedOutputRoots: readonly string[];
  readonly proofMemoryBytes: number;
  readonly libvirtUri: string;
  /** What the domain's NICs are plugged into. */
  readonly network: { readonly type: 'network' | 'bridge'; readonly name: string };
  /** Other libvirt hosts, by name. */
  readonly targets?: TargetsConfig;
  /** virtio-win.iso, or a folder of its content, for Windows. */
  readonly virtioWin?: string | undefined;
  /** The exported images stay; the output is a new image. */
  readonly keepArtifact: boolean;
  /** Where libguestfs keeps its built appliance. */
  readonly applianceCacheDir: string;
}
