import type { Step } from '../step.js';

/** VMware Tools and open-vm-tools go: they serve nothing on KVM. */
export const vmwareToolsStep: Step = {
  name: 'vmware-tools',
  async run({ log }) {
    log('vmware-tools: nothing to do');
  },
};
