import type { Appliance } from '../../guest/index.js';

/** A way to build an initramfs: one per family of distributions. */
export interface InitramfsBackend {
  /** For people: the tool's name. */
  readonly name: string;
  /** Whether the guest uses it. */
  detect(appliance: Appliance): Promise<boolean>;
  /** Where the initramfs of a kernel lies when the boot loader does not say. */
  image(kernel: string): string;
  /** The paths in an initramfs. */
  list(appliance: Appliance, image: string): Promise<string[]>;
  /** Adds modules in the distribution's own way, for now and for later rebuilds; says which files it changed. */
  add(appliance: Appliance, modules: readonly string[]): Promise<string[]>;
  rebuild(appliance: Appliance, kernel: string, image: string): Promise<void>;
}

/** Without KVM a rebuild takes about a minute; on a machine shared with others far more. */
export const REBUILD_LIMIT_MS = 900_000;
