import type { ConversionStep } from '../events/conversion.js';
import { CONVERSION_STEPS } from '../events/conversion.js';
import type { JobStatus } from './states.js';

/** The seed's words, and more like them, for the steps of a conversion (`conversion.current_step`). */
export const STEP_WORDS: Readonly<Record<ConversionStep, string>> = {
  inspect: 'detecting_guest_os',
  fstab: 'updating_fstab',
  network: 'fixing_network',
  'vmware-tools': 'removing_vmware_tools',
  initramfs: 'injecting_virtio_drivers',
  bootloader: 'updating_bootloader',
  selinux: 'planning_selinux_relabel',
  'virt-v2v': 'running_virt_v2v',
  trim: 'freeing_unused_blocks',
  check: 'checking_guest',
  domain: 'writing_domain',
  proof: 'proving_boot',
  commit: 'finalizing',
  define: 'importing_to_libvirt',
};

/** The seed's word for the export of a job (`export.status`). */
export function exportWord(
  status: JobStatus,
  exported: boolean,
): 'queued' | 'in_progress' | 'completed' | 'failed' | 'cancelled' {
  if (exported || status === 'exported' || status === 'converting' || status === 'completed') return 'completed';
  if (status === 'exporting') return 'in_progress';
  if (status === 'failed' || status === 'cancelled') return status;
  return 'queued';
}

/** The seed's word for the conversion of a job (`conversion.status`). */
export function conversionWord(
  status: JobStatus,
  exported: boolean,
): 'waiting' | 'queued' | 'in_progress' | 'completed' | 'failed' | 'cancelled' {
  if (status === 'converting') return 'in_progress';
  if (status === 'completed') return 'completed';
  if (status === 'exported') return 'queued';
  if ((status === 'failed' || status === 'cancelled') && exported) return status;
  return 'waiting';
}

/** Steps that a conversion with these options goes through, in order. */
export function stepsOf(options: {
  fix_fstab: boolean;
  fix_network: boolean;
  fix_grub: boolean;
  verify_boot: boolean;
  to_libvirt: boolean;
}): ConversionStep[] {
  const skipped = new Set<ConversionStep>();
  if (!options.fix_fstab) skipped.add('fstab');
  if (!options.fix_network) skipped.add('network');
  if (!options.fix_grub) skipped.add('bootloader');
  if (!options.verify_boot) skipped.add('proof');
  if (!options.to_libvirt) skipped.add('define');
  return CONVERSION_STEPS.filter((step) => !skipped.has(step));
}

/** `7m 25s`, as the seed writes durations. */
export function durationWord(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  if (hours > 0) return `${hours}h ${minutes}m`;
  return minutes > 0 ? `${minutes}m ${rest}s` : `${rest}s`;
}
