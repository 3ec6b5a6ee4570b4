import type { Appliance } from '../../../guest/index.js';
import type { InitramfsBackend } from './backend.js';
import { dracut } from './dracut.js';
import { initramfsTools } from './initramfs-tools.js';
import { mkinitcpio } from './mkinitcpio.js';
import { mkinitfs } from './mkinitfs.js';

export type { Drivers, InitramfsBackend, Kernel } from './backend.js';
export { dracut, dracutConfiguration, rootModules } from './dracut.js';
export { appendModules, initramfsTools, modulesPolicy } from './initramfs-tools.js';
export { appendToModules, mkinitcpio } from './mkinitcpio.js';
export { addFeature, featureModules, mkinitfs } from './mkinitfs.js';

export const BACKENDS: readonly InitramfsBackend[] = [initramfsTools, dracut, mkinitcpio, mkinitfs];

/** Those whose tool the guest has. */
export async function installedBackends(appliance: Pick<Appliance, 'isFile'>): Promise<InitramfsBackend[]> {
  const found: InitramfsBackend[] = [];
  for (const backend of BACKENDS) {
    for (const tool of backend.tools) {
      if (!(await appliance.isFile(tool))) continue;
      found.push(backend);
      break;
    }
  }
  return found;
}

/**
 * The one that made the image, as several may be installed (Debian keeps update-initramfs beside dracut); where nothing
 * tells, the first.
 */
export function backendFor(
  paths: readonly string[],
  installed: readonly InitramfsBackend[],
): InitramfsBackend | undefined {
  const there = new Set(paths);
  return installed.find((backend) => backend.made(there)) ?? installed[0];
}
