import { JobError } from '@hyper2kvm/contracts';
import type { Engine } from '../engine.js';

/** virt-v2v-in-place on the overlays: the way for Windows. */
export const virtV2vEngine: Engine = {
  name: 'virt-v2v',
  steps: ['virt-v2v'],
  async convert() {
    throw new JobError('GUEST_UNSUPPORTED', 'virt-v2v is not used yet', { step: 'virt-v2v' });
  },
};
