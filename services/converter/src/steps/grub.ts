import type { Appliance } from '../guest/index.js';

export interface GrubCfg {
  readonly path: string;
  readonly text: string;
}

const PLACES = ['/boot/grub/grub.cfg', '/boot/grub2/grub.cfg'];
/** One entry has about 1 KiB. */
const LIMIT_BYTES = 8 * 1024 * 1024;

/** GRUB 2's configuration: Debian's place, then Red Hat's and SUSE's. */
export async function findGrubCfg(appliance: Appliance): Promise<GrubCfg | undefined> {
  for (const path of PLACES) {
    const text = await appliance.readText(path, LIMIT_BYTES);
    if (text !== undefined) return { path, text };
  }
  return undefined;
}
