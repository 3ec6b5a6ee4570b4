/** GRUB's device.map: `(hd0) /dev/sda`, the disks as grub-install and grub-mkconfig in the guest should call them. */
import { dependsOnHardware } from '../../devices.js';
import type { TextPlan } from '../text-plan.js';

/**
 * Lines that name hardware go: which name the disk gets is the new machine's to say, and GRUB finds it without them.
 * @returns an empty text where only comments are left
 */
export function planDeviceMap(text: string): TextPlan {
  const edits: string[] = [];
  const kept = text.split('\n').filter((line) => {
    const device = /^[ \t]*\([^)]*\)[ \t]+(\S+)/.exec(line)?.[1];
    if (device === undefined || !dependsOnHardware(device)) return true;
    edits.push(`${line.trim().replaceAll(/\s+/g, ' ')} removed`);
    return false;
  });
  const rest = kept.filter((line) => line.trim() !== '' && !line.trimStart().startsWith('#'));
  return { text: edits.length > 0 && rest.length === 0 ? '' : kept.join('\n'), edits, unresolved: [] };
}
