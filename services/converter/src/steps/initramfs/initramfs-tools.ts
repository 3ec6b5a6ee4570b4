/** Debian and Ubuntu. */
import type { Appliance } from '../../guest/index.js';
import { REBUILD_LIMIT_MS, type InitramfsBackend } from './backend.js';
import { appendModules, modulesPolicy } from './plan.js';

const CONFIG = '/etc/initramfs-tools';
/** Read last of conf.d, where later files win. */
const OVERRIDE = `${CONFIG}/conf.d/zz-hyper2kvm`;

export const initramfsTools: InitramfsBackend = {
  name: 'update-initramfs',
  detect: (appliance) => appliance.isFile('/usr/sbin/update-initramfs'),
  image: (kernel) => `/boot/initrd.img-${kernel}`,
  async list(appliance, image) {
    return (await appliance.command(['lsinitramfs', image], REBUILD_LIMIT_MS)).split('\n');
  },
  async add(appliance, modules) {
    const file = `${CONFIG}/modules`;
    const text = (await appliance.readText(file)) ?? '';
    const wanted = appendModules(text, modules);
    const changed: string[] = [];
    if (wanted !== text) {
      await appliance.writeText(file, wanted);
      changed.push(file);
    }
    // `dep` asks /sys for the disk that holds the root: in here that is the appliance's, not the guest's.
    if (modulesPolicy(await configuration(appliance)) === 'dep') {
      await appliance.writeText(
        OVERRIDE,
        '# Written by hyper2kvm: "dep" knew the disks of VMware only\nMODULES=most\n',
      );
      changed.push(OVERRIDE);
    }
    return changed;
  },
  async rebuild(appliance, kernel) {
    await appliance.command(['update-initramfs', '-u', '-k', kernel], REBUILD_LIMIT_MS);
  },
};

async function configuration(appliance: Appliance): Promise<string[]> {
  const files = [`${CONFIG}/initramfs.conf`];
  for (const name of await appliance.list(`${CONFIG}/conf.d`)) files.push(`${CONFIG}/conf.d/${name}`);
  const texts: string[] = [];
  for (const file of files) texts.push((await appliance.readText(file)) ?? '');
  return texts;
}
