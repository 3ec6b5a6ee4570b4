/** RHEL and its kin, SUSE, and Debian where somebody chose it. */
import { REBUILD_LIMIT_MS, type InitramfsBackend } from './backend.js';
import { VIRTIO_MODULES } from './plan.js';

const CONFIG = '/etc/dracut.conf.d/hyper2kvm.conf';

export const dracut: InitramfsBackend = {
  name: 'dracut',
  async detect(appliance) {
    return (await appliance.isFile('/usr/bin/dracut')) || appliance.isFile('/usr/sbin/dracut');
  },
  image: (kernel) => `/boot/initramfs-${kernel}.img`,
  async list(appliance, image) {
    return (await appliance.command(['lsinitrd', image], REBUILD_LIMIT_MS)).split('\n');
  },
  async add(appliance) {
    // The blanks within the quotes are dracut.conf(5)'s: values are appended to each other.
    const text = `# Written by hyper2kvm: the disks and cards of KVM\nadd_drivers+=" ${VIRTIO_MODULES.join(' ')} "\n`;
    if ((await appliance.readText(CONFIG)) === text) return [];
    await appliance.writeText(CONFIG, text);
    return [CONFIG];
  },
  async rebuild(appliance, kernel, image) {
    await appliance.command(['dracut', '--force', image, kernel], REBUILD_LIMIT_MS);
  },
};
