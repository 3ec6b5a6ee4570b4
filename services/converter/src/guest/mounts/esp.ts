import type { Appliance } from '../appliance.js';
import type { BlockDevice } from '../devices/index.js';
import type { PlannedMount } from './plan.js';

const ESP_TYPES = new Set(['c12a7328-f81f-11d2-ba4b-00a0c93ec93b', '0xef']);
/** Where systemd-gpt-auto-generator(8) and distributions have it, each only where nothing else lies there. */
const PLACES = ['/efi', '/boot/efi', '/boot'];

/** The EFI system partition of a guest whose fstab says nothing of it. */
export async function findUnlistedEsp(
  appliance: Appliance,
  devices: readonly BlockDevice[],
  mounts: readonly PlannedMount[],
): Promise<PlannedMount | undefined> {
  const esp = devices.find(
    ({ content }) => content?.type === 'vfat' && ESP_TYPES.has(content.partType?.toLowerCase() ?? ''),
  );
  if (esp === undefined || mounts.some(({ device, path }) => device === esp.device || path.endsWith('/efi')))
    return undefined;
  for (const path of PLACES) {
    if (mounts.some((each) => each.path === path) || !(await appliance.isDir(path))) continue;
    if ((await appliance.list(path)).length > 0) continue;
    return { path, device: esp.device, mountable: esp.device, options: '', required: false };
  }
  return undefined;
}
