import { setTimeout as sleep } from 'node:timers/promises';
import { JobError, type ConversionRequested } from '@hyper2kvm/contracts';
import type { WorkContext } from '@hyper2kvm/runtime';

const STEPS = ['inspect', 'fstab', 'bootloader', 'initramfs', 'network'] as const;

/** Converts nothing; a VM called broken fails. */
export async function convertLikeTheSite({ vm_name: vm }: ConversionRequested, work: WorkContext): Promise<void> {
  if (vm.includes('broken'))
    throw new JobError('CONVERSION_STEP', 'dracut failed: no space left on device', { retryable: false });
  for (const [done, step] of STEPS.entries()) {
    work.progress({
      phase: 'conversion',
      percent_complete: (100 * done) / STEPS.length,
      step,
      steps_completed: done,
      steps_total: STEPS.length,
    });
    await sleep(20, undefined, { signal: work.signal });
  }
}
