import type { ConversionStep } from '@hyper2kvm/contracts';

/** How a step is told: while it runs, and when it is done. */
export interface StepWords {
  readonly icon: string;
  readonly doing: string;
  readonly done: string;
}

export const STEP_TEXT: Readonly<Record<ConversionStep, StepWords>> = {
  inspect: { icon: '🔍', doing: 'Detecting the guest OS', done: 'Guest OS detected' },
  fstab: { icon: '📄', doing: 'Updating fstab', done: 'fstab ready for KVM' },
  network: { icon: '🌐', doing: 'Fixing network configuration', done: 'Network configured for KVM' },
  'vmware-tools': { icon: '🧹', doing: 'Removing VMware Tools', done: 'VMware Tools seen to' },
  initramfs: { icon: '💉', doing: 'Injecting VirtIO drivers', done: 'VirtIO drivers injected' },
  bootloader: { icon: '🥾', doing: 'Updating bootloader', done: 'Bootloader updated' },
  selinux: { icon: '🔖', doing: 'Labelling for SELinux', done: 'SELinux seen to' },
  'virt-v2v': { icon: '🪟', doing: 'Converting with virt-v2v', done: 'Converted with virt-v2v' },
  trim: { icon: '🧽', doing: 'Freeing unused blocks', done: 'Unused blocks freed' },
  check: { icon: '🩺', doing: 'Checking the guest', done: 'Guest checked' },
  domain: { icon: '🧾', doing: 'Writing the libvirt domain', done: 'libvirt domain written' },
  proof: { icon: '🚦', doing: 'Proving that the guest boots', done: 'Guest boots' },
  commit: { icon: '📦', doing: 'Finalizing', done: 'Output in place' },
  define: { icon: '🏠', doing: 'Importing to libvirt', done: 'Defined in libvirt' },
};
