import { dependsOnHardware, type Resolve } from '../devices.js';

/** /etc/initramfs-tools/conf.d/resume: `RESUME=/dev/sda2` → `RESUME=UUID=…`; `none` and `auto` stay. */
export function planResume(text: string, resolve: Resolve): { text: string; edits: readonly string[] } {
  const edits: string[] = [];
  const changed = text.replace(/^(RESUME=)(\/dev\/\S+)$/gm, (whole, key: string, device: string) => {
    const uuid = dependsOnHardware(device) ? resolve(device, { type: 'swap' })?.uuid : undefined;
    if (uuid === undefined) return whole;
    edits.push(`${whole} → ${key}UUID=${uuid}`);
    return `${key}UUID=${uuid}`;
  });
  return { text: changed, edits };
}
