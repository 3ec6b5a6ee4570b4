import type { Appliance, GuestFacts } from '../../guest/index.js';
import type { CommandLineWishes } from './command-line.js';
import type { TextPlan } from './text-plan.js';

export type Loader = 'grub2' | 'bls' | 'grub-legacy' | 'extlinux' | 'systemd-boot';

/** One way to start a Linux, as the boot loader's configuration has it. */
export interface BootEntry {
  readonly loader: Loader;
  /** The configuration file, absolute in the guest. */
  readonly file: string;
  readonly title?: string;
  /** Absolute in the guest, whatever the boot loader's own root is; of a file that is missing: where it should be. */
  readonly kernel: string;
  /** The initramfs (not the microcode), absolute in the guest. */
  readonly initrd?: string;
  /** Arguments of the kernel, with the boot loader's variables put in. */
  readonly commandLine: string;
  readonly kernelVersion?: string;
  /** Started when nobody chooses; one of the entries of a configuration (a file, or a folder of entries). */
  readonly isDefault: boolean;
}

/** An entry as its file says it: paths as the boot loader sees them. */
export interface RawEntry extends Pick<BootEntry, 'loader' | 'file' | 'title' | 'commandLine' | 'isDefault'> {
  readonly kernel: string;
  /** Microcode too, in their order. */
  readonly initrds: readonly string[];
  /** What the entry itself calls its kernel's version. */
  readonly version?: string;
  /** Mount point of the file system that the boot loader reads, where it is known: /boot/efi. */
  readonly seenFrom?: string;
}

export type Plan = (text: string, wishes: CommandLineWishes) => TextPlan;

/** A file that the boot loader reads. */
export interface ConfigFile {
  readonly loader: Loader;
  readonly file: string;
  readonly text: string;
  readonly plan: Plan;
}

export interface Configuration {
  readonly files: readonly ConfigFile[];
  readonly entries: readonly RawEntry[];
}

/** What of the appliance the boot loaders' readers need. */
export type GuestFiles = Pick<Appliance, 'readText' | 'isFile' | 'list'>;
export type BootFacts = Pick<GuestFacts, 'mountpoints' | 'fileSystems'>;

/** Of a configuration; an entry has about 1 KiB, and SUSE has one for each snapshot. */
export const LIMIT_BYTES = 8 * 1024 * 1024;
