import type { Appliance } from '../../../guest/index.js';
import type { Archive } from '../archive/index.js';

/** What backends may ask of the guest. */
export type GuestFiles = Pick<Appliance, 'readText' | 'list' | 'isDir'>;

/** Modules that an initramfs lacks. */
export interface Drivers {
  /** `virtio_blk` */
  readonly names: readonly string[];
  /** Of the same, beneath /lib/modules/<version>: `kernel/drivers/block/virtio_blk.ko.xz`. */
  readonly files: readonly string[];
}

export interface Kernel {
  readonly version: string;
  /** Its initramfs, absolute in the guest. */
  readonly image: string;
}

/** A text file to be written; `before` is undefined for a new one. */
export interface Edit {
  readonly file: string;
  readonly before: string | undefined;
  readonly after: string;
}

/** A way to make an initramfs: one per family of distributions. */
export interface InitramfsBackend {
  /** For people: the tool's name. */
  readonly name: string;
  /** Where the tool lies in the guest: one of these. */
  readonly tools: readonly string[];
  /** Whether an image with these paths was made by it. */
  made(paths: ReadonlySet<string>): boolean;
  /** Where the initramfs of a kernel may lie when the boot loader does not say. */
  images(version: string): readonly string[];
  /**
   * What makes this and every later build take the drivers, in the distribution's own way.
   * @param rebuild it is built here, where the appliance's devices are seen and not the guest's
   */
  configure(files: GuestFiles, drivers: Drivers, rebuild: boolean): Promise<Edit[]>;
  /** Builds it. @param old what the present image holds, which must not get lost */
  command(kernel: Kernel, old: Archive): string[];
  /** Files of an image whose content matters to `configure`, `command` or `loadList`. */
  readonly keep?: readonly string[];
  /** Images of this tool may get drivers put in without being built anew, unless something in them forbids it. */
  readonly addable?: {
    /** The file in the image that names modules to be loaded early, and how it looks with these. */
    readonly loadList?: { readonly path: string; with(text: string, names: readonly string[]): string };
    /** Where the tool notes the SHA-1 of the image that it made, and refuses to replace another. */
    noted?(version: string): string;
    /** Why this image has to be built anew all the same. */
    forbids(paths: readonly string[]): string | undefined;
  };
}
