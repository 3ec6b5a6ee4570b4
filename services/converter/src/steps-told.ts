import type { ConversionStep } from '@hyper2kvm/contracts';

/** With what each step begins in the job's log. */
export const BEGINNING: Readonly<Record<ConversionStep, string>> = {
  inspect: 'Looking for the operating system: the disks are opened in an appliance',
  fstab: 'Looking for device names that change, in fstab, crypttab and wherever else something is mounted',
  network: "Looking for network settings that depend on the adapters' names",
  'vmware-tools': "Looking for VMware's tools",
  initramfs: 'Looking for virtio drivers in the initramfs of each kernel that can boot',
  bootloader: 'Looking for device names in the boot entries',
  selinux: 'Looking whether what was written needs labels of SELinux',
  'virt-v2v': 'Converting the guest with virt-v2v',
  trim: 'Freeing unused blocks of the file systems',
  check: 'Reading again what the steps wrote',
  domain: 'Planning the libvirt domain',
  proof: 'Booting the guest on a copy that is thrown away, to see that it starts',
  commit: 'Writing the output',
  define: 'Defining the domain in libvirt',
};
