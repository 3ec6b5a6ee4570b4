import type { Step } from '../step.js';

/** What was written gets its labels at the first start. */
export const selinuxStep: Step = {
  name: 'selinux',
  async run({ log }) {
    log('selinux: nothing to do');
  },
};
