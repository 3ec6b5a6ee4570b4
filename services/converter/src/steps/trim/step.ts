import type { GuestFacts, Mountpoint } from '../../guest/index.js';
import type { Step } from '../step.js';

/** File systems that tell the disk which blocks they do not use. */
const TRIMMABLE = new Set(['ext3', 'ext4', 'xfs', 'btrfs', 'f2fs']);
/** Without KVM a file system of 1 TB with little in it takes a minute. */
const TRIM_LIMIT_MS = 900_000;

/** The mount points to trim: each file system once, and none on LUKS, whose holes would tell what is unused. */
export function trimTargets(guest: Pick<GuestFacts, 'mountpoints' | 'fileSystems' | 'luks'>): Mountpoint[] {
  const seen = new Set<string>(guest.luks.map(({ mapped }) => mapped));
  return guest.mountpoints.filter(({ device }) => {
    const type = guest.fileSystems.find((each) => each.device === device)?.type ?? '';
    const wanted = TRIMMABLE.has(type) && !seen.has(device);
    seen.add(device);
    return wanted;
  });
}

/** Blocks that the guest's file systems do not use are freed, so that a thin disk stays thin. */
export const trimStep: Step = {
  name: 'trim',
  async run({ appliance, guest, dryRun, log, change }) {
    const targets = trimTargets(guest).map(({ path }) => path);
    if (targets.length === 0) return log('trim: no file system that could be trimmed');
    if (dryRun) return change('', `unused blocks of ${targets.join(', ')} would be freed`);
    // A file system that cannot is none the worse for it.
    for (const path of targets) await appliance.attempt(['fstrim', path], TRIM_LIMIT_MS);
    log(`trim: unused blocks of ${targets.join(', ')} were freed`);
  },
};
