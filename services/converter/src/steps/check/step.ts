import { JobError } from '@hyper2kvm/contracts';
import type { Step } from '../step.js';
import { checkBoot } from './boot.js';
import { checkFstab } from './fstab.js';
import { checkNames } from './names.js';

/** Reads again what the steps wrote, as the guest will find it, and fails where anything does not hold. */
export const checkStep: Step = {
  name: 'check',
  async run(context) {
    const faults = [...(await checkFstab(context)), ...(await checkBoot(context)), ...(await checkNames(context))];
    if (faults.length > 0) throw new JobError('CONVERSION_STEP', faults.join('; '), { step: 'check' });
    context.log('check: fstab, boot entries, boot loader and network names hold');
  },
};
