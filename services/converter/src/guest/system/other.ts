import type { Appliance } from '../appliance.js';
import type { GuestFacts } from '../facts.js';

/** It reads every file system: 12 s without KVM on a plain guest, more with many disks. */
const INSPECT_LIMIT_MS = 900_000;

export type OtherSystem = Pick<
  GuestFacts,
  'root' | 'type' | 'distro' | 'product' | 'version' | 'arch' | 'packageFormat' | 'init'
>;

/** Systems that only libguestfs recognises (FreeBSD, Hurd, MINIX, …). */
export async function otherSystems(appliance: Appliance): Promise<OtherSystem[]> {
  const roots = (await appliance.call(['inspect-os'], INSPECT_LIMIT_MS)).split('\n').filter((line) => line !== '');
  const found: OtherSystem[] = [];
  for (const root of roots) {
    const ask = async (what: string): Promise<string> =>
      (await appliance.attempt([`inspect-get-${what}`, root])).trim() || 'unknown';
    const type = await ask('type');
    found.push({
      root,
      type,
      distro: await ask('distro'),
      product: await ask('product-name').then((name) => (name === 'unknown' ? type : name)),
      version: {
        major: Number(await ask('major-version')) || 0,
        minor: Number(await ask('minor-version')) || 0,
      },
      arch: await ask('arch'),
      packageFormat: await ask('package-format'),
      init: 'unknown',
    });
  }
  await appliance.call(['umount-all']);
  return found;
}
