import { dependsOnHardware } from '../../devices.js';
import type { StepContext } from '../../step.js';
import type { BootLoaders } from '../read.js';
import { planDeviceMap } from './device-map.js';
import { installDevicesOfSuse, planInstallDevices } from './install-devices.js';
import { uncertainRoots } from './plan.js';

const MAPS = ['/boot/grub/device.map', '/boot/grub2/device.map'];
const DEBCONF = '/var/cache/debconf/config.dat';
/** Of a desktop: some hundred KiB. */
const DEBCONF_LIMIT_BYTES = 16 * 1024 * 1024;
const SUSE = '/etc/default/grub_installdevice';

/** `set root='hd1,msdos1'` without a search: the firmware counts disks in the order in which it starts from them. */
export function worryAboutRoots({ concern }: Pick<StepContext, 'concern'>, { files }: BootLoaders): void {
  for (const { loader, file, text } of files) {
    const roots = loader === 'grub2' ? uncertainRoots(text) : [];
    if (roots.length === 0) continue;
    concern(
      'BOOTLOADER_DEVICE_UNKNOWN',
      `bootloader: ${file} takes kernels from ${roots.join(', ')} by the number of the disk; it must stay in that order`,
    );
  }
}

/** Maps of disks to names that the new machine does not have. */
export async function fixDeviceMaps({ appliance, edit, change, log }: StepContext): Promise<void> {
  for (const file of MAPS) {
    const text = await appliance.readText(file);
    if (text === undefined) continue;
    const plan = planDeviceMap(text);
    if (plan.text !== '') await edit(file, text, plan.text, ...plan.edits);
    else if (text !== '') {
      await appliance.call(['rm-f', file]);
      for (const each of plan.edits) log(`bootloader: ${each} (${file})`);
      change(file, `removed, as GRUB finds the disks itself: ${plan.edits.join('; ')}`);
    }
  }
}

/** Where an upgrade of GRUB in the guest would write its boot sector. */
export async function fixInstallDevices({ appliance, edit, concern }: StepContext): Promise<void> {
  const suse = installDevicesOfSuse((await appliance.readText(SUSE)) ?? '');
  if (suse.length > 0) {
    concern('BOOTLOADER_INSTALL_DEVICE', `bootloader: ${SUSE} says ${suse.join(', ')}, which KVM may call otherwise`);
  }
  const text = await appliance.readText(DEBCONF, DEBCONF_LIMIT_BYTES);
  if (text === undefined) return;
  const plan = planInstallDevices(text);
  if (!plan.devices.some((each) => dependsOnHardware(each))) return;
  await edit(DEBCONF, text, plan.text, ...plan.edits);
  if (plan.automatic) return;
  const said = plan.devices.join(', ');
  concern(
    'BOOTLOADER_INSTALL_DEVICE',
    plan.edits.length > 0
      ? `bootloader: grub-pc was told to install to ${said}, which KVM may call otherwise; its upgrades leave the boot sector as it is now`
      : `bootloader: grub-pc is told to install to ${said}, which KVM may call otherwise; its next upgrade will ask or fail`,
  );
}
